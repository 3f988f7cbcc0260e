package dev.doorbell.doctor;

import dev.doorbell.description.Recorded;
import dev.doorbell.explain.Source;
import dev.doorbell.firmware.DmarLayout;
import java.util.List;
import java.util.Optional;

/// Whether interrupts of functions are kept apart on x86: by interrupt remapping. On Arm that is a matter of each function's MSI controller.
///
/// Evidence, best first: what the kernel said, what it programs (`IR-` in `proc/interrupts`), what the command line, the configuration, the hardware and firmware allow.
final class IsolationChecks implements Checks {
  private static final String ID = "interrupts.remapping";

  /// Why interrupts are, or are not, remapped.
  private record State(boolean on, String because, Source source, String cure) {}

  @Override
  public void check(Evidence e, Chart chart) {
    boolean x86 = e.isX86() && !e.iommuRuns().map(r -> !r).orElse(false);
    boolean remapper = e.tables().has("DMAR") || e.tables().has("IVRS") || !e.iommus().isEmpty();
    if (x86 && remapper) {
      Optional<State> state = state(e);
      if (state.isEmpty()) {
        chart.unseen(
            ID,
            "whether interrupts are remapped: neither the kernel's log nor an MSI in proc/interrupts tells",
            e.log().source(),
            "dmesg | grep -i remap");
      } else if (state.get().on()) {
        chart.fine(ID, "interrupts are remapped: " + state.get().because(), state.get().source());
        leftOn(e, chart);
      } else {
        off(e, state.get(), chart);
      }
    } else if (!chart.isBlocked() && e.allowsUnsafe() && !e.isArm()) {
      leftOn(e, chart);
    }
  }

  private static void off(Evidence e, State state, Chart chart) {
    String reach =
        "whoever owns a function can raise any vector of any CPU by writing to 0xfee00000-0xfeefffff";
    if (e.allowsUnsafe()) {
      chart.unsafe(
          ID,
          "interrupts are not remapped (%s) and VFIO is told to accept that: %s"
              .formatted(state.because(), reach),
          e.unsafeSource(),
          state.cure().isEmpty()
              ? "give functions only to guests that are trusted as much as the host"
              : state.cure());
    } else {
      chart.blocks(
          ID,
          "interrupts are not remapped (%s): %s, so VFIO refuses groups with EPERM"
              .formatted(state.because(), reach),
          state.source(),
          state.cure().isEmpty() ? trusted(e) : state.cure() + "; or, " + trusted(e));
    }
  }

  /// {@return how VFIO is told to accept it}
  static String trusted(Evidence e) {
    return "only if every guest is trusted as much as the host: %s (or %s.%s=1 on the kernel's command line)"
        .formatted(e.unsafe(1), e.unsafeModule(), Evidence.UNSAFE);
  }

  private static void leftOn(Evidence e, Chart chart) {
    if (e.allowsUnsafe()) {
      chart.warns(
          "interrupts.allow-unsafe",
          "allow_unsafe_interrupts is on although nothing needs it: it would hide the loss of remapping",
          e.unsafeSource(),
          e.unsafe(0));
    }
  }

  private static Optional<State> state(Evidence e) {
    return observed(e).or(() -> forbidden(e)).or(() -> absent(e));
  }

  private static Optional<State> observed(Evidence e) {
    for (String line : List.of("Enabled IRQ remapping", "AMD-Vi: Interrupt remapping enabled")) {
      Optional<BootLog.Hit> hit = e.log().first(line);
      if (hit.isPresent()) {
        return Optional.of(
            new State(true, IommuChecks.said(hit.get().text()), hit.get().source(), ""));
      }
    }
    List<Recorded.Interrupt> msis =
        e.machine().recorded().interrupts().stream()
            .filter(i -> i.chip().contains("PCI-MSI"))
            .toList();
    return msis.stream()
        .filter(i -> i.chip().startsWith("IR-"))
        .findFirst()
        .map(i ->
            new State(true, "interrupt %d is %s".formatted(i.irq(), i.chip()), i.source(), ""));
  }

  private static Optional<State> forbidden(Evidence e) {
    CommandLine line = e.commandLine();
    if (line.has("intremap", "off") || line.value("nointremap").isPresent()) {
      return no(
          "intremap=off on the kernel's command line",
          line.source(),
          BootLoader.without(e, "intremap=off"));
    }
    if (e.config().isOff("IRQ_REMAP")) {
      boolean hardware = e.tables().dmarFlags().map(DmarLayout.INTR_REMAP::isSet).orElse(false);
      return no(
          hardware
              ? "firmware offers it and the kernel lacks CONFIG_IRQ_REMAP"
              : "the kernel lacks CONFIG_IRQ_REMAP",
          e.config().source(),
          "boot a kernel with CONFIG_IRQ_REMAP=y");
    }
    return Optional.empty();
  }

  private static Optional<State> absent(Evidence e) {
    Optional<Integer> flags = e.tables().dmarFlags();
    if (flags.isPresent() && !DmarLayout.INTR_REMAP.isSet(flags.get())) {
      return no(
          "the DMAR's flag INTR_REMAP is 0",
          Source.at(e.tables().source("DMAR").where(), DmarLayout.FLAGS_AT),
          Hypervisor.of(e).isPresent()
              ? "on the host, give the machine an IOMMU that remaps interrupts (QEMU: -device intel-iommu,intremap=on)"
              : "turn interrupt remapping on in the firmware's setup if it has that");
    }
    for (String unit : e.iommus()) {
      String path = "sys/class/iommu/" + unit + "/intel-iommu/ecap";
      Optional<Long> ecap = e.sysroot().text(path, 64).flatMap(IsolationChecks::hex);
      if (ecap.isPresent() && !DmarLayout.ECAP_IR.isSet(ecap.get())) {
        return no(unit + " has no interrupt remapping (ECAP_REG.IR is 0)", Source.file(path), "");
      }
    }
    Optional<BootLog.Hit> said = e.log().first("No interrupt remapping support");
    if (said.isPresent()) {
      return no("the kernel said so", said.get().source(), "");
    }
    return e.machine().recorded().interrupts().stream()
        .filter(i -> i.chip().startsWith("PCI-MSI"))
        .findFirst()
        .flatMap(i -> no("interrupt %d is %s".formatted(i.irq(), i.chip()), i.source(), ""));
  }

  private static Optional<State> no(String because, Source source, String cure) {
    return Optional.of(new State(false, because, source, cure));
  }

  private static Optional<Long> hex(String text) {
    String digits = text.strip();
    return digits.matches("[0-9a-f]{1,16}")
        ? Optional.of(Long.parseUnsignedLong(digits, 16))
        : Optional.empty();
  }
}
