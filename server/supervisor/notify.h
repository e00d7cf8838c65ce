/*
 * server/supervisor/notify.h - the sd_notify(3) protocol, by hand: one datagram to the socket
 * that $NOTIFY_SOCKET names. Without that variable nothing happens.
 */
#ifndef SERVER_SUPERVISOR_NOTIFY_H
#define SERVER_SUPERVISOR_NOTIFY_H

/* E.g. "READY=1". A service manager that does not listen is not our failure. */
void notify_send(const char *state);

/* RELOADING=1 with the time stamp that Type=notify-reload wants. */
void notify_reloading(void);

#endif
