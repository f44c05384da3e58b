#include "daemon/loop/dns.h"

#include <netinet/in.h>

#include <arpa/nameser.h>
#include <netdb.h>
#include <resolv.h>
#include <string.h>

#include "daemon/base/xalloc.h"
#include "daemon/loop/worker.h"

#define ANSWER_SIZE (16 * 1024)
#define MX_SIZE 3  /* the preference, and the shortest name */
#define SRV_SIZE 7 /* priority, weight, port, and the shortest name */

struct dns {
	dns_fn *fn;
	void *ctx;
	struct work *work;
};

/* What the thread sees. */
struct job {
	enum dns_kind kind;
	char *name;
	struct dns_result result;
};

static struct worker_pool pool =
    WORKER_POOL_INIT(pool, DNS_THREADS_MAX, DNS_SAME_MAX, 0);

/* RFC 1035 section 3.3.9, RFC 2782. False: it is malformed. */
static bool
read_record(const ns_msg *message, const ns_rr *rr, enum dns_kind kind,
    struct dns_record *record_r)
{
	const unsigned char *data = ns_rr_rdata(*rr);
	size_t size = kind == DNS_MX ? MX_SIZE : SRV_SIZE;
	struct dns_record record = {.priority = 0};

	if (ns_rr_rdlen(*rr) < size)
		return false;
	record.priority = ns_get16(data);
	if (kind == DNS_SRV) {
		record.weight = ns_get16(data + 2);
		record.port = ns_get16(data + 4);
	}
	if (ns_name_uncompress(ns_msg_base(*message), ns_msg_end(*message),
		data + size - 1, record.host, sizeof(record.host)) < 0)
		return false;
	if (strcmp(record.host, ".") == 0)
		record.host[0] = '\0';
	*record_r = record;
	return true;
}

static void
read_answer(struct job *job, const unsigned char *answer, int len)
{
	struct dns_result *result = &job->result;
	ns_type type = job->kind == DNS_MX ? ns_t_mx : ns_t_srv;
	ns_msg message;
	ns_rr rr;

	if (ns_initparse(answer, len, &message) < 0)
		return;
	for (int i = 0; i < ns_msg_count(message, ns_s_an) &&
			result->count < DNS_RECORDS_MAX;
	     i++) {
		if (ns_parserr(&message, ns_s_an, i, &rr) < 0)
			return;
		if (ns_rr_type(rr) == type && ns_rr_class(rr) == ns_c_in &&
		    read_record(&message, &rr, job->kind,
			&result->records[result->count]))
			result->count++;
	}
}

/* That there is no such name, or no such record, is an answer. */
static void
set_failure(struct job *job, int code)
{
	if (code != HOST_NOT_FOUND && code != NO_DATA)
		error_set(
		    &job->result.error, FAULT_RETRY, "no name server answered");
}

static void
run(void *ctx)
{
	struct job *job = ctx;
	struct __res_state state;
	unsigned char *answer = xmalloc(ANSWER_SIZE);

	memset(&state, 0, sizeof(state));
	if (res_ninit(&state) != 0) {
		error_set(
		    &job->result.error, FAULT_LOCAL, "no name server is known");
		free(answer);
		return;
	}
	state.retrans = DNS_TRY_SEC;
	state.retry = DNS_TRIES;
	if (state.nscount > DNS_SERVERS_MAX)
		state.nscount = DNS_SERVERS_MAX;
	int len = res_nquery(&state, job->name, ns_c_in,
	    job->kind == DNS_MX ? ns_t_mx : ns_t_srv, answer, ANSWER_SIZE);
	if (len < 0)
		set_failure(job, state.res_h_errno);
	else
		read_answer(job, answer, len < ANSWER_SIZE ? len : ANSWER_SIZE);
	res_nclose(&state);
	free(answer);
}

static void
done(void *ctx, void *owner)
{
	struct job *job = ctx;
	struct dns *dns = owner;

	dns->fn(dns->ctx, &job->result);
	free(dns);
}

static void
job_free(void *ctx)
{
	struct job *job = ctx;

	free(job->name);
	free(job);
}

static const struct work_class dns_class = {run, done, job_free};

struct dns *
dns_ask(struct loop *loop, enum dns_kind kind, const char *name, dns_fn *fn,
    void *ctx)
{
	struct dns *dns = NEW(struct dns);
	struct job *job = NEW(struct job);

	job->kind = kind;
	job->name = xstrdup(name);
	dns->fn = fn;
	dns->ctx = ctx;
	dns->work = work_start(&pool, loop, &dns_class, name, job, dns);
	return dns;
}

void
dns_cancel(struct dns **dns)
{
	if (*dns == NULL)
		return;
	work_cancel(&(*dns)->work);
	free(*dns);
	*dns = NULL;
}
