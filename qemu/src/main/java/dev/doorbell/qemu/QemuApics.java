package dev.doorbell.qemu;

import dev.doorbell.bus.CpuInterface;
import java.util.BitSet;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The local APICs of a PC whose CPUs stand still: what has become pending, as the human monitor's `info lapic` prints it.
///
/// No CPU takes an interrupt, so that a pending vector stays so until the machine is reset, and is told once: that one comes again cannot be seen.
/// **Threads**: safe.
final class QemuApics implements CpuInterface {
  private static final Pattern PENDING = Pattern.compile("(?m)^IRR\\s+(.*?)\\s*$");
  private static final Pattern VECTOR = Pattern.compile("\\d{1,9}");
  private static final int VECTORS = 256;

  private final QemuProcess qemu;
  private final List<Long> apicIds;
  private final BitSet told = new BitSet();

  QemuApics(QemuProcess qemu, List<Long> apicIds) {
    this.qemu = qemu;
    this.apicIds = List.copyOf(apicIds);
  }

  @Override
  public int cpus() {
    return apicIds.size();
  }

  @Override
  public synchronized int acknowledge(int cpu) {
    String text = qemu.qmp().monitor("info lapic " + apicIds.get(cpu));
    Matcher line = PENDING.matcher(text);
    if (!line.find()) {
      throw new QemuUnusable(qemu.name(), "'info lapic' prints no IRR: " + text.strip());
    }
    int highest = NONE;
    for (Matcher m = VECTOR.matcher(line.group(1)); m.find(); ) {
      int vector = Integer.parseInt(m.group());
      if (vector < VECTORS && vector > highest && !told.get(cpu * VECTORS + vector)) {
        highest = vector;
      }
    }
    if (highest != NONE) {
      told.set(cpu * VECTORS + highest);
    }
    return highest;
  }

  /// There is no CPU to tell it to.
  @Override
  public void endOfInterrupt(int cpu, int intid) {}

  /// Forgets what was told: the machine was reset.
  synchronized void reset() {
    told.clear();
  }
}
