/// Fuzz targets: one a parser, command queue or register interface that takes what others wrote. Their corpora are replayed by the ordinary
/// tests; `build/fuzz.sh` lets a fuzzer look for more.
@NullMarked
package dev.doorbell.fuzz;

import org.jspecify.annotations.NullMarked;
