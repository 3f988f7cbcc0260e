package dev.doorbell.firmware;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.ApicDescription;
import dev.doorbell.description.Arch;
import dev.doorbell.description.FirmwareKind;
import dev.doorbell.description.GicDescription;
import dev.doorbell.description.HostBridge;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.description.Recorded;
import dev.doorbell.explain.Source;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/// A machine description while it is being put together, and what it is put together from. Not thread-safe.
final class Draft {
  final Sysroot sysroot;
  final Findings findings = new Findings();
  final Optional<Blob> rootFile;
  final PciFunctions pci;
  final Recorded recorded;
  final IoMemory ioMemory;
  final KernelLog log;

  Arch arch = Arch.UNKNOWN;
  FirmwareKind firmware = FirmwareKind.NONE;
  Optional<GicDescription> gic = Optional.empty();
  Optional<ApicDescription> apic = Optional.empty();
  Optional<Madt> madt = Optional.empty();
  final List<IommuDescription> iommus = new ArrayList<>();
  final List<MsiControllerDescription> msiControllers = new ArrayList<>();
  final List<HostBridge> hostBridges = new ArrayList<>();
  final List<MachineDescription.Memory> memory = new ArrayList<>();
  final List<MachineDescription.Reservation> reserved = new ArrayList<>();
  private final Set<String> ids = new HashSet<>();

  Draft(Sysroot sysroot) {
    this.sysroot = sysroot;
    rootFile = rootFile(sysroot);
    pci =
        guarded(
            "PCI functions",
            () -> PciFunctions.read(sysroot, rootFile, findings),
            PciFunctions.NONE);
    recorded =
        guarded(
            "the kernel's records",
            () -> KernelRecords.read(sysroot, findings),
            KernelRecords.NONE);
    ioMemory =
        guarded("the physical address map", () -> IoMemory.read(sysroot, findings), IoMemory.NONE);
    log = guarded("the kernel's log", () -> KernelLog.read(sysroot), KernelLog.NONE);
  }

  private Optional<Blob> rootFile(Sysroot from) {
    if (from.shape() != Sysroot.Shape.FILE) {
      return Optional.empty();
    }
    return from.readRootFile(PciFunctions.DUMP_LIMIT)
        .blob(why -> findings.unseen("everything", why, "nothing is known"));
  }

  /// {@return what a reader makes, or the fallback when its input is malformed in a way that it did not foresee}
  <T> T guarded(String what, Supplier<T> reader, T fallback) {
    try {
      return reader.get();
    } catch (MalformedException e) {
      findings.odd(e);
      findings.unseen(
          what, "its file is malformed: " + e.getMessage(), "what depends on it stays unanswered");
      return fallback;
    }
  }

  /// {@return a name that no other object of the machine has}
  String unique(String name) {
    String candidate = name;
    for (int i = 2; !ids.add(candidate); i++) {
      candidate = name + "#" + i;
    }
    return candidate;
  }

  /// {@return a range, or empty with an oddity when it has no bytes or passes the top of the address space}
  Optional<AddressRange> range(long start, long bytes, String what, Source source) {
    if (bytes == 0 || Long.compareUnsigned(bytes - 1, -1L - start) > 0) {
      findings.odd(
          "%s of 0x%x bytes at 0x%x is no range of addresses".formatted(what, bytes, start),
          source);
      return Optional.empty();
    }
    return Optional.of(AddressRange.ofSize(start, bytes));
  }

  MachineDescription finish() {
    StreamWidths widths = new StreamWidths(iommus, findings);
    hostBridges.replaceAll(widths::within);
    return new MachineDescription(
        arch,
        firmware,
        iommus,
        msiControllers,
        gic,
        apic,
        hostBridges,
        pci.functions(),
        memory,
        reserved,
        recorded,
        findings.oddities(),
        findings.unseen());
  }
}
