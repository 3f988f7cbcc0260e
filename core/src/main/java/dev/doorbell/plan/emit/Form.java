package dev.doorbell.plan.emit;

import dev.doorbell.plan.Plan;
import java.util.Locale;

/// What a plan can be printed as.
public enum Form {
  /// Options of QEMU's command line.
  QEMU,
  /// A domain of libvirt.
  LIBVIRT,
  /// An ACPI IORT with a reserved memory range node, in iasl's data table language.
  IORT_RMR,
  /// A device tree source with memory nodes and `iommu-addresses`.
  DTS;

  /// {@return the plan in this form: lines that each end in a newline}
  ///
  /// @throws NotExpressible when the form cannot say it
  public String emit(Plan plan) {
    return switch (this) {
      case QEMU -> QemuForm.emit(plan);
      case LIBVIRT -> LibvirtForm.emit(plan);
      case IORT_RMR -> IortForm.emit(plan);
      case DTS -> TreeForm.emit(plan);
    };
  }

  /// {@return the form's name as arguments write it}
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
