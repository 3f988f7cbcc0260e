/// IOMMU domains, groups, reserved regions, mappings and the MSI window with its doorbells.
@NullMarked
package dev.doorbell.iommu;

import org.jspecify.annotations.NullMarked;
