/// RISC-V IOMMU (RISC-V IOMMU Architecture Specification 1.0): registers, tables, driver, model, walker.
@NullMarked
package dev.doorbell.hw.riscviommu;

import org.jspecify.annotations.NullMarked;
