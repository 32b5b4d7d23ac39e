/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints of pKVM's host side: each step of a page between the host and the
 * VMs, by which one can be followed through its life, and the steps of a VM.
 * What passes between a guest and the hypervisor alone is not the host's to see.
 */
#if !defined(_TRACE_PKVM_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_PKVM_H

#include <linux/tracepoint.h>

#undef TRACE_SYSTEM
#define TRACE_SYSTEM kvm

DECLARE_EVENT_CLASS(pkvm_vm,
		    TP_PROTO(unsigned int handle, unsigned long nr_pages),
		    TP_ARGS(handle, nr_pages),
		    TP_STRUCT__entry(__field(unsigned int, handle)
				     __field(unsigned long, nr_pages)),
		    TP_fast_assign(__entry->handle = handle;
				   __entry->nr_pages = nr_pages;),
		    TP_printk("vm %#x pages %lu",
			      __entry->handle, __entry->nr_pages)
);

/* A VM began: what the hypervisor was given for it. */
DEFINE_EVENT(pkvm_vm, pkvm_vm_created,
	     TP_PROTO(unsigned int handle, unsigned long nr_pages),
	     TP_ARGS(handle, nr_pages)
);

/* A VM ended: how many pages its guest owned then. */
DEFINE_EVENT(pkvm_vm, pkvm_vm_destroyed,
	     TP_PROTO(unsigned int handle, unsigned long nr_pages),
	     TP_ARGS(handle, nr_pages)
);

/* Pages for tables went to the hypervisor because a call of the guest waited for them. */
DEFINE_EVENT(pkvm_vm, pkvm_tables_given,
	     TP_PROTO(unsigned int handle, unsigned long nr_pages),
	     TP_ARGS(handle, nr_pages)
);

DECLARE_EVENT_CLASS(pkvm_pages,
		    TP_PROTO(unsigned int handle, u64 gfn, u64 pfn, u64 nr_pages),
		    TP_ARGS(handle, gfn, pfn, nr_pages),
		    TP_STRUCT__entry(__field(unsigned int, handle)
				     __field(u64, gfn)
				     __field(u64, pfn)
				     __field(u64, nr_pages)),
		    TP_fast_assign(__entry->handle = handle;
				   __entry->gfn = gfn;
				   __entry->pfn = pfn;
				   __entry->nr_pages = nr_pages;),
		    TP_printk("vm %#x gfn %#llx pfn %#llx pages %llu",
			      __entry->handle, __entry->gfn, __entry->pfn, __entry->nr_pages)
);

/* A page became a protected guest's own. */
DEFINE_EVENT(pkvm_pages, pkvm_page_donated,
	     TP_PROTO(unsigned int handle, u64 gfn, u64 pfn, u64 nr_pages),
	     TP_ARGS(handle, gfn, pfn, nr_pages)
);

/* A protected guest gave a page back. */
DEFINE_EVENT(pkvm_pages, pkvm_page_relinquished,
	     TP_PROTO(unsigned int handle, u64 gfn, u64 pfn, u64 nr_pages),
	     TP_ARGS(handle, gfn, pfn, nr_pages)
);

/* A page of a dead protected guest is the host's again. */
DEFINE_EVENT(pkvm_pages, pkvm_page_reclaimed,
	     TP_PROTO(unsigned int handle, u64 gfn, u64 pfn, u64 nr_pages),
	     TP_ARGS(handle, gfn, pfn, nr_pages)
);

/* Pages were shared with a VM that is not protected. */
DEFINE_EVENT(pkvm_pages, pkvm_np_pages_shared,
	     TP_PROTO(unsigned int handle, u64 gfn, u64 pfn, u64 nr_pages),
	     TP_ARGS(handle, gfn, pfn, nr_pages)
);

/* Pages were taken back from a VM that is not protected. */
DEFINE_EVENT(pkvm_pages, pkvm_np_pages_unshared,
	     TP_PROTO(unsigned int handle, u64 gfn, u64 pfn, u64 nr_pages),
	     TP_ARGS(handle, gfn, pfn, nr_pages)
);

/* The host's own kernel touched a page that it gave away, and got it back by force, or not. */
TRACE_EVENT(pkvm_page_forced,
	    TP_PROTO(u64 pfn, int error),
	    TP_ARGS(pfn, error),
	    TP_STRUCT__entry(__field(u64, pfn)
			     __field(int, error)),
	    TP_fast_assign(__entry->pfn = pfn;
			   __entry->error = error;),
	    TP_printk("pfn %#llx error %d",
		      __entry->pfn, __entry->error)
);

/* A page was not given to a protected guest that faulted on it. */
TRACE_EVENT(pkvm_donation_failed,
	    TP_PROTO(unsigned int handle, u64 gfn, int error),
	    TP_ARGS(handle, gfn, error),
	    TP_STRUCT__entry(__field(unsigned int, handle)
			     __field(u64, gfn)
			     __field(int, error)),
	    TP_fast_assign(__entry->handle = handle;
			   __entry->gfn = gfn;
			   __entry->error = error;),
	    TP_printk("vm %#x gfn %#llx error %d",
		      __entry->handle, __entry->gfn, __entry->error)
);

#endif /* _TRACE_PKVM_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace_pkvm

/* This part must be outside protection */
#include <trace/define_trace.h>
