package dev.doorbell.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.InterruptFiles;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.explain.Source;
import dev.doorbell.hw.aplic.AplicDriver;
import dev.doorbell.hw.aplic.AplicModel;
import dev.doorbell.hw.imsic.ImsicDriver;
import dev.doorbell.hw.imsic.ImsicHardware;
import dev.doorbell.hw.imsic.ImsicModel;
import dev.doorbell.irq.Signal;
import dev.doorbell.testkit.Property;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName(
    "AIA 1.0 4: QEMU's APLIC under our driver, and beside our model; its wire is a serial port's")
class AplicOnQemuTest {
  private static final long FILE = 0x2800_0000L;
  private static final int IDENTITIES = 255;
  private static final int SOURCES = 96;
  private static final int UART = 10;

  private static @Nullable QemuMachine started;

  private final RegisterBus domain = window(0x0d00_0000L, 0x8000);
  private final RegisterBus uart = window(0x1000_0000L, 0x100);
  private final InterruptFiles files = machine().interruptFiles().orElseThrow();
  private final ImsicDriver imsic = imsic(files);

  private static QemuMachine machine() {
    return Objects.requireNonNull(started);
  }

  private static RegisterBus window(long at, long bytes) {
    return machine().registers(AddressRange.ofSize(at, bytes));
  }

  private static ImsicDriver imsic(InterruptFiles files) {
    return ImsicDriver.open(
        new ImsicHardware(
            "imsic@0x28000000", List.of(FILE), IDENTITIES, Source.rule("QEMU"), files));
  }

  @BeforeAll
  static void start() {
    started = QemuMachine.start(Qemus.riscvOrSkip(), Board.RISCV_IMSIC, Devices.of());
  }

  @AfterAll
  static void end() {
    if (started != null) {
      started.close();
    }
  }

  @BeforeEach
  void quiet() {
    wire(false);
  }

  /// The transmitter is empty: what it says of that, it says while that interrupt is enabled.
  private void wire(boolean high) {
    uart.write(1, high ? 2 : 0, 1);
  }

  private Map<Integer, Integer> collect() {
    Map<Integer, Integer> out = new HashMap<>();
    imsic.collect((number, _) -> out.merge(number, 1, Integer::sum));
    return out;
  }

  @Test
  @DisplayName(
      "the driver: a level arrives, again while it lasts and is served, and not when it has ended; masked it waits")
  void drives() {
    AplicDriver d = AplicDriver.open("aplic@0xd000000", domain, SOURCES, imsic, cpu -> cpu);
    AplicDriver.Source s = d.connect(UART, Signal.HIGH, 0);
    assertEquals(Map.of(), collect());
    wire(true);
    assertEquals(Map.of(s.vector(), 1), collect());
    s.served();
    assertEquals(Map.of(s.vector(), 1), collect());
    wire(false);
    s.served();
    assertEquals(Map.of(), collect());
    s.mask(true);
    wire(true);
    assertEquals(Map.of(), collect());
    s.mask(false);
    assertEquals(Map.of(s.vector(), 1), collect());
    s.disconnect();
    wire(false);
    wire(true);
    assertEquals(Map.of(), collect());
  }

  @Test
  @DisplayName(
      "beside our model: registers and messages are the same after each of many random steps")
  void alike() {
    ImsicModel ours = new ImsicModel(1, IDENTITIES);
    imsic(ours);
    Property.check(
        "steps of an APLIC",
        40,
        dice -> {
          AplicModel model =
              new AplicModel(
                  SOURCES,
                  (hart, guest, identity) -> {
                    if (hart == 0 && guest == 0) {
                      ours.page(0).write(0, identity, 4, -1);
                    }
                  });
          wire(false);
          write(model, 0, 0x4);
          write(model, 4 * UART, 0);
          for (int step = 0; step < 30; step++) {
            String what = step(model, dice.below(8), dice.below(1 << 16));
            long mode = model.read(4 * UART, 4).value();
            // QEMU's in_clrip shows the wire, whatever the mode (4.5.2: rectified).
            long inputs = mode == 4 || mode == 6 ? 0x1d00 : 0;
            long target = mode == 0 ? 0 : 0x3000 + 4 * UART;
            for (long at : new long[] {0, 4 * UART, 0x1c00, inputs, 0x1e00, target}) {
              assertEquals(
                  domain.read(at, 4),
                  model.read(at, 4).value(),
                  what + " at " + Long.toHexString(at));
            }
            for (int word = 0; word < 4; word++) {
              int select = 0x80 + 2 * word;
              assertEquals(files.read(0, select), ours.read(0, select), what);
            }
          }
        });
  }

  /// Does something to both, and tells what.
  private String step(AplicModel model, int kind, int value) {
    switch (kind) {
      case 0 -> write(model, 0, (value & 1) == 0 ? 0x4 : 0x104);
      case 1 -> mode(model, new int[] {0, 1, 4, 5, 6, 7, 0x400, 4}[value & 7]);
      case 2 -> write(model, (value & 1) == 0 ? 0x1cdc : 0x2000, UART);
      case 3 -> write(model, (value & 1) == 0 ? 0x1ddc : 0x1cdc, UART);
      case 4 -> write(model, (value & 3) == 0 ? 0x1fdc : 0x1edc, UART);
      case 5 -> write(model, 0x3000 + 4 * UART, 1 + (value & 0x7f));
      case 6 -> write(model, (value & 1) == 0 ? 0x1c00 : 0x1e00, 1 << UART);
      default -> {
        wire((value & 1) != 0);
        model.drive(UART, (value & 1) != 0);
        // QEMU's level-sensitive source stays pending when its wire ends (4.7: cleared).
        boolean over = (model.read(0x1d00, 4).value() & 1 << UART) == 0;
        if (over && model.read(4 * UART, 4).value() >= 6) {
          write(model, 0x1ddc, UART);
        }
      }
    }
    return "step %d of 0x%x".formatted(kind, value);
  }

  /// A source that becomes active has an UNSPECIFIED target (4.5.2); QEMU's inactive ones do not read zero. Disabled, as a change of mode that makes
  /// it pending sends nothing in QEMU before
  /// the next event; and not pending, which QEMU leaves as it was where a level-sensitive mode comes and the wire is inactive (4.7).
  private void mode(AplicModel model, int mode) {
    write(model, 0x1fdc, UART);
    write(model, 0x1ddc, UART);
    write(model, 4 * UART, mode);
    // The write may make a source pending or not (4.5.2); QEMU does it to a detached one, too.
    write(model, 0x1ddc, UART);
    if (model.read(4 * UART, 4).value() != 0) {
      write(model, 0x3000 + 4 * UART, 99);
    }
  }

  private void write(AplicModel model, long at, int value) {
    domain.write32(at, value);
    assertEquals(BusOutcome.OK, model.write(at, Integer.toUnsignedLong(value), 4, -1));
  }
}
