/// Allocating I/O virtual addresses under alignment, limit and reserved ranges.
@NullMarked
package dev.doorbell.iova;

import org.jspecify.annotations.NullMarked;
