package dev.doorbell.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.description.FunctionDescription;
import dev.doorbell.host.Assignment;
import dev.doorbell.host.Host;
import dev.doorbell.host.HostFunction;
import dev.doorbell.irq.LiveVector;
import dev.doorbell.machine.Machine;
import dev.doorbell.pci.Sbdf;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@DisplayName(
    "QEMU dying half-way: wherever the drivers are, an error that names the line sent, no wait without end, and nothing left")
@Timeout(120)
class HalfWayTest {
  /// Places in the drivers' work, evenly over it: start of the SMMU, of the Distributor and the ITS, tables, vectors, messages, and giving back.
  private static final int PLACES = 8;

  private static final AddressRange WINDOW = AddressRange.ofSize(0x0800_0000L, 0x10_0000L);

  /// A machine whose QEMU is killed before a certain register access.
  private static final class Mortal extends Around {
    private final QemuMachine machine;
    private final int last;
    private int accesses;

    /// @param last accesses that it survives
    Mortal(QemuMachine machine, int last) {
      super(machine, machine.description());
      this.machine = machine;
      this.last = last;
    }

    @Override
    public RegisterBus registers(AddressRange window) {
      return new Counted(super.registers(window));
    }

    @Override
    public RegisterBus bar(Sbdf function, int index) {
      return new Counted(super.bar(function, index));
    }

    private final class Counted implements RegisterBus {
      private final RegisterBus inner;

      Counted(RegisterBus inner) {
        this.inner = inner;
      }

      @Override
      public long read(long offset, int bytes) {
        count();
        return inner.read(offset, bytes);
      }

      @Override
      public void write(long offset, long value, int bytes) {
        count();
        inner.write(offset, value, bytes);
      }
    }

    private void count() {
      if (accesses++ == last) {
        qemu(machine).orElseThrow().destroyForcibly();
      }
    }
  }

  private static Optional<ProcessHandle> qemu(QemuMachine machine) {
    return machine
        .process()
        .handle()
        .descendants()
        .filter(p -> p.info().command().orElse("").contains("qemu-system"))
        .findFirst();
  }

  @Test
  @DisplayName("of an assignment with MSI and MSI-X, from the drivers' start to what is given back")
  void everyPlace() {
    int whole;
    try (QemuMachine machine = start()) {
      Mortal spared = new Mortal(machine, Integer.MAX_VALUE);
      assertEquals(6, work(spared));
      whole = spared.accesses;
    }
    assertTrue(whole > 10 * PLACES, "too few accesses to choose from: " + whole);
    for (int place = 0; place < PLACES; place++) {
      int last = (int) ((long) whole * place / PLACES);
      QemuMachine machine = start();
      try (machine) {
        ProcessHandle held = machine.process().handle();
        QemuDied died =
            assertThrows(
                QemuDied.class, () -> work(new Mortal(machine, last)), "before access " + last);
        // How it ended and what it was asked then, not what the drivers ask while they clean up.
        assertTrue(
            died.getMessage().contains("ended with status 137; the last line sent to it was '"),
            died.getMessage());
        assertTrue(died.getMessage().matches("(?s).*(read|write)[bwlq] 0x.*"), died.getMessage());
        assertFalse(held.isAlive(), "what held QEMU is still there");
      }
      assertEquals(Optional.empty(), qemu(machine));
    }
  }

  private static QemuMachine start() {
    return QemuMachine.start(
        Qemus.orSkip(),
        Board.GICV3,
        Devices.of(
            "edu,addr=1", "pcie-root-port,id=port0,chassis=1,addr=2", "e1000e,romfile=,bus=port0"));
  }

  /// {@return how many vectors were fired}
  private static int work(Machine machine) {
    Host host = Host.start(machine);
    List<Sbdf> endpoints = new ArrayList<>();
    for (FunctionDescription f : machine.description().functions()) {
      int id = f.config().read32(0);
      if (id == 0x11e8_1234 || id == 0x10d3_8086) {
        endpoints.add(f.sbdf());
      }
    }
    int fired = 0;
    Assignment.Request request =
        new Assignment.Request(Granule.K4, Optional.of(WINDOW), 1, 32, false);
    try (Assignment a = Assignment.of(host, endpoints, request)) {
      for (HostFunction f : a.functions()) {
        for (LiveVector v : a.vectors(f)) {
          assertTrue(a.fire(f, v).delivered(), v::toString);
          fired++;
        }
      }
    }
    return fired;
  }
}
