package dev.doorbell.firmware;

import dev.doorbell.description.InterruptRemapping;
import dev.doorbell.description.InterruptRemapping.State;
import dev.doorbell.explain.Printable;
import dev.doorbell.explain.Source;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What the kernel's log says of VT-d and AMD-Vi, gathered line by line. Not thread-safe.
///
/// **Source**: Linux 6.12 `drivers/iommu/intel/{dmar,irq_remapping}.c`, `drivers/iommu/amd/init.c`, `drivers/vfio/vfio_iommu_type1.c`: the lines' texts.
final class X86Log {
  private static final int MOST_UNITS = 1024;
  private static final Pattern UNIT =
      Pattern.compile(
          ".*reg_base_addr ([0-9a-f]{1,16}) ver \\S+ cap ([0-9a-f]{1,16}) ecap ([0-9a-f]{1,16}).*");
  private static final Pattern TIME = Pattern.compile("^\\[[^]]*]\\s*");

  /// Capability registers of a VT-d unit.
  record Capabilities(long cap, long ecap, Source source) {}

  private final Map<Long, Capabilities> units = new LinkedHashMap<>();
  private Optional<InterruptRemapping> remapping = Optional.empty();

  /// {@return CAP_REG and ECAP_REG by the unit's register base}
  Map<Long, Capabilities> units() {
    return Map.copyOf(units);
  }

  /// {@return whether interrupts are remapped, as far as the log says}
  Optional<InterruptRemapping> remapping() {
    return remapping;
  }

  void line(String line, Source source) {
    if (line.contains("Enabled IRQ remapping in")
        || line.contains("AMD-Vi: Interrupt remapping enabled")) {
      said(State.ON, line, source);
    } else if (remapping.isEmpty()
        && (line.contains("No interrupt remapping support")
            || line.contains("Failed to enable irq remapping"))) {
      said(State.OFF, line, source);
    } else if (line.contains("reg_base_addr") && units.size() < MOST_UNITS) {
      Matcher m = UNIT.matcher(line);
      if (m.matches()) {
        units.putIfAbsent(
            Long.parseUnsignedLong(m.group(1), 16),
            new Capabilities(
                Long.parseUnsignedLong(m.group(2), 16),
                Long.parseUnsignedLong(m.group(3), 16),
                source));
      }
    }
  }

  private void said(State state, String line, Source source) {
    String text = TIME.matcher(Printable.of(line)).replaceFirst("");
    remapping =
        Optional.of(
            new InterruptRemapping(state, "the kernel's log says: " + text.strip(), source));
  }
}
