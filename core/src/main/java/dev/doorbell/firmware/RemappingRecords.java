package dev.doorbell.firmware;

import dev.doorbell.description.InterruptRemapping;
import dev.doorbell.description.InterruptRemapping.State;
import dev.doorbell.description.Recorded;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// Finds out whether the captured kernel had interrupt remapping on, and what the units can do.
///
/// Best first: the interrupts that it programmed, its log, its command line, and what firmware and hardware do not offer. Firmware that
/// offers it says nothing about whether it is used.
///
/// **Source**: Linux 6.12 `kernel/irq` (names of interrupt chips), `drivers/iommu/intel/irq_remapping.c` (every unit must support it),
/// `drivers/iommu/amd/init.c` (`check_ioapic_information`).
final class RemappingRecords {
  private static final String CLASS = "sys/class/iommu";
  private static final int TEXT = 64;

  /// 00:14.0, as a requester id.
  private static final int SOUTH_BRIDGE_IO_APIC = 0xa0;

  private final Draft draft;

  RemappingRecords(Draft draft) {
    this.draft = draft;
  }

  /// {@return the state of VT-d's units, which a kernel switches together}
  InterruptRemapping ofVtd(Dmar dmar) {
    Optional<InterruptRemapping> recorded = recorded();
    boolean offered = DmarLayout.INTR_REMAP.isSet(dmar.flags());
    if (recorded.isPresent()) {
      if (recorded.get().isOn() && !offered) {
        draft.findings.harmless(
            "the DMAR's flag INTR_REMAP is 0, so that no kernel turns remapping on, and yet %s (%s)"
                .formatted(recorded.get().because(), recorded.get().source()),
            dmar.table().source(DmarLayout.FLAGS_AT));
      }
      return recorded.get();
    }
    if (!offered) {
      return new InterruptRemapping(
          State.OFF,
          "firmware does not offer it: the DMAR's flag INTR_REMAP is 0",
          dmar.table().source(DmarLayout.FLAGS_AT));
    }
    for (Dmar.Unit unit : dmar.units()) {
      Optional<X86Log.Capabilities> c = capabilities(unit.base());
      if (c.isPresent() && !DmarLayout.ECAP_IR.isSet(c.get().ecap())) {
        return new InterruptRemapping(
            State.OFF,
            "the unit at 0x%x does not support it: ECAP_REG.IR is 0".formatted(unit.base()),
            c.get().source());
      }
    }
    return unseen(dmar.table().source(DmarLayout.FLAGS_AT));
  }

  /// {@return the state of AMD's IOMMUs}
  InterruptRemapping ofAmd(Ivrs ivrs) {
    return recorded().or(() -> withoutIoApic(ivrs)).orElseGet(() -> unseen(ivrs.table().source(0)));
  }

  /// Linux remaps no interrupts where the IVRS does not name the south bridge's I/O APIC, unless its command line does. A table of which
  /// something was not read may have it there.
  private Optional<InterruptRemapping> withoutIoApic(Ivrs ivrs) {
    Source table = ivrs.table().source(0);
    boolean named =
        ivrs.units().stream()
            .flatMap(u -> u.entries().stream())
            .anyMatch(e ->
                e instanceof Ivrs.Special s
                    && s.variety() == Ivrs.Special.IO_APIC
                    && s.deviceId() == SOUTH_BRIDGE_IO_APIC);
    boolean damaged =
        draft.findings.oddities().stream().anyMatch(o -> o.source().where().equals(table.where()));
    return named || damaged || words().stream().anyMatch(w -> w.startsWith("ivrs_ioapic"))
        ? Optional.empty()
        : Optional.of(
            new InterruptRemapping(
                State.OFF,
                "the IVRS names no I/O APIC at 00:14.0, without which Linux turns it off (`ivrs_ioapic` on its command line names one)",
                table));
  }

  /// {@return CAP_REG and ECAP_REG of the unit whose registers are there}
  Optional<X86Log.Capabilities> capabilities(long base) {
    for (String name : draft.sysroot.list(CLASS).orElse(List.of())) {
      String folder = CLASS + "/" + name + "/intel-iommu/";
      if (hex(folder + "address").equals(Optional.of(base))) {
        Optional<Long> cap = hex(folder + "cap");
        Optional<Long> ecap = hex(folder + "ecap");
        if (cap.isPresent() && ecap.isPresent()) {
          return Optional.of(
              new X86Log.Capabilities(cap.get(), ecap.get(), Source.file(folder + "cap")));
        }
      }
    }
    Map<Long, X86Log.Capabilities> logged = draft.log.x86().units();
    return Optional.ofNullable(logged.get(base));
  }

  private Optional<InterruptRemapping> recorded() {
    return programmed().or(() -> draft.log.x86().remapping()).or(this::forbidden);
  }

  /// A remapped message's interrupt chip has `IR-` before its name. One such message tells that remapping is on; one without tells that it
  /// is off only where none has it, and only when it is not an IOMMU's own, which no IOMMU remaps.
  private Optional<InterruptRemapping> programmed() {
    return firstOf("IR-PCI-MSI", State.ON, "a remapped one")
        .or(() -> firstOf("PCI-MSI", State.OFF, "not a remapped one"));
  }

  private Optional<InterruptRemapping> firstOf(String chip, State state, String what) {
    return draft.recorded.interrupts().stream()
        .filter(i -> i.chip().toUpperCase(Locale.ROOT).startsWith(chip))
        .filter(i -> !isOwnOfIommu(i))
        .findFirst()
        .map(i ->
            new InterruptRemapping(
                state,
                "interrupt %d of the captured kernel is %s, %s".formatted(i.irq(), i.chip(), what),
                i.source()));
  }

  private static boolean isOwnOfIommu(Recorded.Interrupt i) {
    String action = i.action().toLowerCase(Locale.ROOT);
    return action.startsWith("amd-vi") || action.startsWith("dmar");
  }

  private Optional<InterruptRemapping> forbidden() {
    return words().stream()
        .filter(w -> w.equals("intremap=off") || w.equals("nointremap"))
        .findFirst()
        .map(w ->
            new InterruptRemapping(
                State.OFF, w + " on the kernel's command line", Source.file("proc/cmdline")));
  }

  private List<String> words() {
    return draft.recorded.commandLine().map(l -> List.of(l.split("\\s+"))).orElse(List.of());
  }

  private static InterruptRemapping unseen(Source offered) {
    return new InterruptRemapping(
        State.UNSEEN,
        "neither the kernel's log nor an MSI in proc/interrupts tells whether interrupts are remapped",
        offered);
  }

  private Optional<Long> hex(String path) {
    return draft
        .sysroot
        .text(path, TEXT)
        .map(String::strip)
        .filter(t -> t.matches("[0-9a-f]{1,16}"))
        .map(t -> Long.parseUnsignedLong(t, 16));
  }
}
