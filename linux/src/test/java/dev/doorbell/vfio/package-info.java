/// The contract of the user's API, held against the kernel's implementation.
@NullMarked
package dev.doorbell.vfio;

import org.jspecify.annotations.NullMarked;
