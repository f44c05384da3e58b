/*
 * desktop/popups: what libnotify shows for us.
 *
 * Everything here is called from the one thread that has pushed its own
 * GMainContext before the first call: libnotify's signals silently get lost
 * otherwise. popups_show and popups_close block on the bus, up to 25 seconds
 * when the service does not answer.
 */
#ifndef BELFRY_NOTIFIERS_DESKTOP_POPUPS_H
#define BELFRY_NOTIFIERS_DESKTOP_POPUPS_H

#include "notifiers/notifier.h"

/* Shown ones that are remembered for closing; the oldest are forgotten. */
#define POPUPS_MAX 200

/* What the service can do, as far as it matters here. */
struct popups_can {
	bool body;	    /* else the title has to say it all */
	bool markup;	    /* body-markup: texts are escaped */
	bool actions;	    /* else none are added */
	bool loses_buttons; /* of what is replaced while it is shown */
};

struct popups;

struct popups *popups_new(void);
void popups_free(struct popups **popups);
void popups_set_can(struct popups *popups, struct popups_can can);

enum popup_result {
	POPUP_SHOWN,
	POPUP_REFUSED, /* this one */
	POPUP_CROWDED, /* too many at once: later */
	POPUP_AWAY     /* the service does not answer */
};
/* Shows it; replaces the one with the same id. `reason_r` is malloc'ed,
 * written unless POPUP_SHOWN. */
enum popup_result popups_show(
    struct popups *popups, const struct notification *n, char **reason_r);
/* What the service is called on its bus; NULL: there is none. */
void popups_set_service(
    struct popups *popups, const char *bus, const char *owner);
bool popups_have_service(const struct popups *popups);
/* What the places of all that it shows begin with. malloc'ed; NULL: there is
 * none. */
char *popups_places(const struct popups *popups);
/* Where it is shown: a name that no other service has, nor another notification
 * of this one. malloc'ed; NULL: nobody knows. */
char *popups_place(struct popups *popups, uint64_t id);
/* An id that is not shown is closed by its place (NULL: it has none), where
 * that is of this very service. One that expired is closed, too: the service
 * may go on listing it. */
void popups_close(struct popups *popups, uint64_t id, const char *place);
/* Not counting what expired. */
bool popups_are_shown(const struct popups *popups);
/* After the service or the bus has gone: its ids mean nothing any more. */
void popups_forget(struct popups *popups);

#endif
