/// What the SMMUv2 manual says, checked on the model; its driver on the model; and its layouts against second sources.
@NullMarked
package dev.doorbell.hw.smmuv2;

import org.jspecify.annotations.NullMarked;
