package dev.doorbell.linux;

import dev.doorbell.pci.Seen;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/// How an interrupt of the kernel's goes through its controllers, as debugfs prints it.
///
/// **Source**: Linux `kernel/irq/debugfs.c` (CONFIG_GENERIC_IRQ_DEBUGFS)
///
/// @param levels from the device to the processor
/// @param disabled whether its driver has it switched off (`disable_irq`)
/// @param masked whether the kernel holds it back at a controller
/// @param vector of a processor's interrupt table, on x86
record IrqDomains(List<Level> levels, boolean disabled, boolean masked, OptionalInt vector) {
  /// One controller.
  ///
  /// @param hwirq the number that it knows the interrupt by
  record Level(String chip, OptionalLong hwirq) {}

  /// {@return an interrupt's way}
  static Seen<IrqDomains> of(HostFiles files, int irq) {
    return files.look("sys/kernel/debug/irq/irqs/" + irq).map(IrqDomains::parse);
  }

  static IrqDomains parse(String text) {
    List<Level> levels = new ArrayList<>();
    OptionalLong hwirq = OptionalLong.empty();
    OptionalInt vector = OptionalInt.empty();
    boolean disabled = false;
    boolean masked = false;
    for (String line : text.lines().toList()) {
      String[] pair = line.strip().split(":\\s+", 2);
      String value = pair.length == 2 ? pair[1].strip() : "";
      switch (pair[0]) {
        case "ddepth" -> disabled = !value.equals("0");
        case "hwirq" -> hwirq = hex(value);
        case "chip" -> levels.add(new Level(value, hwirq));
        case "Vector" -> vector = number(value);
        case "IRQD_IRQ_MASKED", "IRQD_IRQ_DISABLED" -> masked = true;
        default -> {
          // What else there is says nothing of the way.
        }
      }
    }
    return new IrqDomains(List.copyOf(levels), disabled, masked, vector);
  }

  private static OptionalLong hex(String text) {
    return text.matches("0x[0-9a-f]{1,16}")
        ? OptionalLong.of(Long.parseUnsignedLong(text.substring(2), 16))
        : OptionalLong.empty();
  }

  private static OptionalInt number(String text) {
    return text.matches("\\d{1,9}") ? OptionalInt.of(Integer.parseInt(text)) : OptionalInt.empty();
  }

  /// {@return the number that the last controller before the processors has for it: an INTID, or a vector}
  OptionalLong last() {
    if (vector.isPresent()) {
      return OptionalLong.of(vector.getAsInt());
    }
    return Optional.of(levels)
        .filter(l -> !l.isEmpty())
        .map(l -> l.getLast().hwirq())
        .orElse(OptionalLong.empty());
  }

  /// {@return the way in words, such as `ITS 0x2002, GICv3 0x2002`}
  String text() {
    List<String> out = new ArrayList<>();
    for (Level l : levels) {
      out.add(
          l.hwirq().isPresent() ? "%s 0x%x".formatted(l.chip(), l.hwirq().getAsLong()) : l.chip());
    }
    vector.ifPresent(v -> out.add("vector " + v));
    return String.join(", ", out);
  }
}
