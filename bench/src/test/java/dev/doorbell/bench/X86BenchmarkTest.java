package dev.doorbell.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.bus.CpuInterface;
import dev.doorbell.pci.Firing;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("what is measured of VT-d does what its row says")
class X86BenchmarkTest {
  private static int arrived(CpuInterface cpus) {
    int count = 0;
    for (int cpu = 0; cpu < cpus.cpus(); cpu++) {
      for (int v = cpus.acknowledge(cpu); v != CpuInterface.NONE; v = cpus.acknowledge(cpu)) {
        cpus.endOfInterrupt(cpu, v);
        count++;
      }
    }
    return count;
  }

  @ParameterizedTest
  @ValueSource(strings = {"1x1", "1x2048", "256x1"})
  @DisplayName("every vector of every shape arrives once")
  void remapped(String shape) {
    MsiBenchmark.Remapped r = new MsiBenchmark.Remapped();
    r.shape = shape;
    r.assign();
    for (var device : r.devices) {
      for (int v = 0; v < r.vectors; v++) {
        assertEquals(Firing.SENT, device.fire(v));
      }
    }
    assertEquals(r.devices.length * r.vectors, arrived(r.cpus));
  }

  @Test
  @DisplayName("posted messages notify once, and arrive at no CPU besides")
  void posted() {
    X86Benchmark.Posted p = new X86Benchmark.Posted();
    p.shape = "1x64";
    p.assign();
    for (int v = 0; v < p.vectors; v++) {
      assertEquals(Firing.SENT, p.devices[0].fire(v));
    }
    assertEquals(1, arrived(p.cpus));
  }

  @Test
  @DisplayName(
      "a vector that moves under load is where it was moved to, and what was raised arrives")
  void moved() throws InterruptedException {
    X86Benchmark.Busy busy = new X86Benchmark.Busy();
    busy.assign();
    X86Benchmark work = new X86Benchmark();
    int last = -1;
    for (int i = 0; i < 4 * 64; i++) {
      last = work.retargeted(busy);
    }
    busy.stop();
    assertEquals(1, last);
    arrived(busy.cpus);
    for (int v = 0; v < 64; v++) {
      assertEquals(Firing.SENT, busy.devices[0].fire(v));
    }
    assertEquals(CpuInterface.NONE, busy.cpus.acknowledge(0));
    assertEquals(64, arrived(busy.cpus));
  }
}
