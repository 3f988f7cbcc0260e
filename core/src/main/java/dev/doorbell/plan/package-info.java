/// Windows, ledgers of vectors, memory layouts and verdicts: what must be true before anything is executed.
@NullMarked
package dev.doorbell.plan;

import org.jspecify.annotations.NullMarked;
