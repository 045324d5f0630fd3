/* The socket calls that CivetWeb makes, in our hands: the linker puts __wrap_bind and its like
 * from sockets.c in place of bind and its like (-Wl,--wrap), because CivetWeb has no option for
 * any of this.
 *
 *   bind, listen  the listening socket that the supervisor opened becomes CivetWeb's
 *   accept        counts connections, so that keep-alive can yield when there are more than workers
 *   poll          gives one request one deadline, however slowly its bytes trickle; lets an idle
 *                 connection make room; waits in vain when the front drains
 */
#ifndef ITL_FRONT_SOCKETS_H
#define ITL_FRONT_SOCKETS_H

#include "base/err.h"

#include <stdint.h>

/* Before CivetWeb starts: the descriptor of the listening socket, which it will get. */
void sockets_offer_listener(int take_fd);

/* "[::]:1s" or "127.0.0.1:1s": a listening_ports entry of the listener's own address family.
 * Errors: IO. */
ERRFN sockets_port_option(int listener, char *out_option, uint32_t size);

/* The calling thread's waits on sockets fail from then on, counted from now; 0 is no deadline. */
void sockets_deadline_set(uint32_t ms);

/* Between two requests of a connection: its wait ends early when more connections than this are
 * there, so that it makes room. Ends with sockets_deadline_set. */
void sockets_idle_below(unsigned connections_max);

/* A connection that was accepted has ended. */
void sockets_connection_ended(void);
unsigned sockets_connection_count(void);

/* No new connections from now on. The listener stays open for the supervisor's next front. */
void sockets_stop_accepting(void);

#endif
