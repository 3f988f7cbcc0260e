/// Message banks of an MPIC.
@NullMarked
package dev.doorbell.hw.mpic;

import org.jspecify.annotations.NullMarked;
