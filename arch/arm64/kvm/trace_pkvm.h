/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints of pKVM's host side: each transfer of a page between the host and a VM, so
 * that a page can be followed, and creation and destruction of VMs. The host does not see
 * the calls that only a guest and the hypervisor know of.
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

/* A VM was created: the number of pages that the hypervisor got for it. */
DEFINE_EVENT(pkvm_vm, pkvm_vm_created,
	     TP_PROTO(unsigned int handle, unsigned long nr_pages),
	     TP_ARGS(handle, nr_pages)
);

/* A VM was destroyed: the number of pages that its guest owned then. */
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

/* A protected guest relinquished a page. */
DEFINE_EVENT(pkvm_pages, pkvm_page_relinquished,
	     TP_PROTO(unsigned int handle, u64 gfn, u64 pfn, u64 nr_pages),
	     TP_ARGS(handle, gfn, pfn, nr_pages)
);

/* The host reclaimed a page of a dead protected guest. */
DEFINE_EVENT(pkvm_pages, pkvm_page_reclaimed,
	     TP_PROTO(unsigned int handle, u64 gfn, u64 pfn, u64 nr_pages),
	     TP_ARGS(handle, gfn, pfn, nr_pages)
);

/* The host shared pages with a non-protected VM. */
DEFINE_EVENT(pkvm_pages, pkvm_np_pages_shared,
	     TP_PROTO(unsigned int handle, u64 gfn, u64 pfn, u64 nr_pages),
	     TP_ARGS(handle, gfn, pfn, nr_pages)
);

/* The host unshared pages from a non-protected VM. */
DEFINE_EVENT(pkvm_pages, pkvm_np_pages_unshared,
	     TP_PROTO(unsigned int handle, u64 gfn, u64 pfn, u64 nr_pages),
	     TP_ARGS(handle, gfn, pfn, nr_pages)
);

/* The host shared pages with a protected VM, in a window. */
DEFINE_EVENT(pkvm_pages, pkvm_window_pages_shared,
	     TP_PROTO(unsigned int handle, u64 gfn, u64 pfn, u64 nr_pages),
	     TP_ARGS(handle, gfn, pfn, nr_pages)
);

/* The host took pages of a window back. It does not see what the guest takes by itself. */
DEFINE_EVENT(pkvm_pages, pkvm_window_pages_unshared,
	     TP_PROTO(unsigned int handle, u64 gfn, u64 pfn, u64 nr_pages),
	     TP_ARGS(handle, gfn, pfn, nr_pages)
);

/* The host's kernel accessed a private page, and reclaimed it by force; or that failed. */
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

/* The host could not donate a page to a protected guest that faulted on it. */
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
