/* What systemd is told (sd_notify(3)), when it asked for it. */
#ifndef ITL_SUPERVISOR_NOTIFY_H
#define ITL_SUPERVISOR_NOTIFY_H

void notify_ready(void);
void notify_stopping(void);

#endif
