/// AMD-Vi, the AMD IOMMU: DMA remapping and interrupt remapping.
@NullMarked
package dev.doorbell.hw.amdvi;

import org.jspecify.annotations.NullMarked;
