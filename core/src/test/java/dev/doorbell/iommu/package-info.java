@NullMarked
package dev.doorbell.iommu;

import org.jspecify.annotations.NullMarked;
