/// What the AMD IOMMU manual says, checked on the walker; and its layouts against second sources.
@NullMarked
package dev.doorbell.hw.amdvi;

import org.jspecify.annotations.NullMarked;
