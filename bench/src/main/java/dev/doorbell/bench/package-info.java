/// Benchmarks of the paths that every interrupt and every DMA takes.
@NullMarked
package dev.doorbell.bench;

import org.jspecify.annotations.NullMarked;
