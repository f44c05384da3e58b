/*
 * ctl_doctor: what `doctor` and `setup` both say.
 */
#ifndef BELFRY_CONTROL_CTL_DOCTOR_H
#define BELFRY_CONTROL_CTL_DOCTOR_H

#include "daemon/control/ctl.h"
#include "daemon/doctor/doctor.h"

/* One step, as the schemas have it. */
struct json *ctl_finding_json(const struct doctor_finding *finding);

#endif
