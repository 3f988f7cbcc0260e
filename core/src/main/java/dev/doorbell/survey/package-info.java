/// What follows from a machine description: who a function is to the IOMMU and to the MSI controller, groups, reserved regions and
/// isolation, each with its reason.
@NullMarked
package dev.doorbell.survey;

import org.jspecify.annotations.NullMarked;
