package dev.doorbell.plan.emit;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.Arch;
import dev.doorbell.explain.Source;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.plan.Plan;
import dev.doorbell.plan.Subject;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// The guest that plans are printed for: QEMU's `virt` board for Arm, with the functions in slots of its bus 0.
///
/// **Source**: QEMU 7.2 hw/arm/virt.c, `base_memmap` and `a15irqmap`.
final class VirtBoard {
  /// RAM is one run from here, whatever its size.
  static final long RAM_BASE = 0x4000_0000L;

  static final long ITS_BASE = 0x808_0000L;
  static final long SMMU_BASE = 0x905_0000L;
  static final long ECAM_BASE = 0x40_1000_0000L;
  static final long ECAM_BYTES = 0x1000_0000L;

  private static final Source BOARD = Source.rule("QEMU hw/arm/virt.c base_memmap");
  private static final long MIB = 0x10_0000L;

  /// Slots below are left to what QEMU and libvirt place there themselves (host bridge, network, root ports).
  private static final int FIRST_SLOT = 8;

  private static final int SLOTS = 32;

  private VirtBoard() {}

  /// A function and its slot on the guest's bus 0.
  record Placed(Sbdf host, int slot) {
    /// {@return the requester id that it has in the guest}
    int guestRequesterId() {
      return new Sbdf(0, 0, slot, 0).requesterId();
    }
  }

  /// {@return every function with the slot that it gets}
  ///
  /// @throws NotExpressible when there are more than free slots
  static List<Placed> placed(Plan plan) {
    List<Subject> subjects = plan.subjects();
    if (subjects.size() > SLOTS - FIRST_SLOT) {
      throw NotExpressible.slots(subjects.size(), SLOTS - FIRST_SLOT);
    }
    List<Placed> out = new ArrayList<>();
    for (int i = 0; i < subjects.size(); i++) {
      out.add(new Placed(subjects.get(i).sbdf(), FIRST_SLOT + i));
    }
    return out;
  }

  /// @throws NotExpressible when the plan's machine cannot run this board's guests
  static void requireArm(Plan plan, Form form) {
    if (plan.arch() != Arch.ARM64 && plan.arch() != Arch.UNKNOWN) {
      String arch = plan.arch().name().toLowerCase(Locale.ROOT);
      throw NotExpressible.guest(
          "--emit %s prints guests of arm64, and this machine is %s".formatted(form, arch),
          List.of(form.toString(), arch),
          BOARD,
          "take window and memory map from the plan itself");
    }
  }

  /// {@return size of guest RAM in MiB}
  ///
  /// @throws NotExpressible when the planned RAM is not one run from the board's base in whole MiB
  static long ramMebibytes(Plan plan, Form form) {
    List<AddressRange> ram = plan.ram();
    if (ram.isEmpty()) {
      throw NotExpressible.ram(
          "--emit %s needs the size of guest RAM, and the plan has none".formatted(form),
          List.of("guest RAM"),
          Source.rule("--ram"),
          "give --ram, such as --ram 4G");
    }
    if (ram.size() > 1) {
      throw NotExpressible.ram(
          "guest RAM lies in %d runs %s; QEMU's virt board has one run from 0x%x"
              .formatted(ram.size(), ram, RAM_BASE),
          List.of("guest RAM " + ram.get(1), "virt board"),
          BOARD,
          "give the guest less RAM, so that it ends before " + ram.get(1));
    }
    AddressRange run = ram.getFirst();
    if (run.start() != RAM_BASE) {
      throw NotExpressible.ram(
          "guest RAM %s starts at 0x%x; QEMU's virt board has it from 0x%x"
              .formatted(run, run.start(), RAM_BASE),
          List.of("guest RAM " + run, "virt board"),
          BOARD,
          "plan for RAM that starts at 0x" + Long.toHexString(RAM_BASE));
    }
    if (Long.remainderUnsigned(run.bytes(), MIB) != 0) {
      throw NotExpressible.ram(
          "guest RAM %s has %s bytes, which are not whole MiB"
              .formatted(run, Long.toUnsignedString(run.bytes())),
          List.of("guest RAM " + run),
          Source.rule("QEMU -m"),
          "plan for RAM of whole MiB");
    }
    return Long.divideUnsigned(run.bytes(), MIB);
  }
}
