/// Tests of hw.imsic.
@NullMarked
package dev.doorbell.hw.imsic;

import org.jspecify.annotations.NullMarked;
