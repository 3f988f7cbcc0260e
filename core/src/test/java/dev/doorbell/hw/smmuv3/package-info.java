/// What the SMMUv3 manual says, checked on the model; and its layouts against second sources.
@NullMarked
package dev.doorbell.hw.smmuv3;

import org.jspecify.annotations.NullMarked;
