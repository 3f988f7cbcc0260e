/// The running Linux kernel, by the foreign function API: VFIO, iommufd, eventfds and sockets that pass descriptors.
///
/// Everything goes through {@link dev.doorbell.linux.SystemCalls}, so that a test can stand in for the kernel or make a call fail. A call
/// that the kernel refuses is an {@link dev.doorbell.linux.ErrnoException}, made in {@link dev.doorbell.linux.Kernel} alone.
@NullMarked
package dev.doorbell.linux;

import org.jspecify.annotations.NullMarked;
