/// Tests of hw.riscviommu.
@NullMarked
package dev.doorbell.hw.riscviommu;

import org.jspecify.annotations.NullMarked;
