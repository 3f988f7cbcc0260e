package dev.doorbell.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.description.FunctionDescription;
import dev.doorbell.hw.pcie.BridgeModel;
import dev.doorbell.pci.BridgeHeaderLayout;
import dev.doorbell.pci.Capabilities;
import dev.doorbell.pci.Capability;
import dev.doorbell.pci.CapabilityLayout;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.ConfigImage;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.ExtendedLayout;
import dev.doorbell.pci.PortType;
import dev.doorbell.pci.Sbdf;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Random writes of software to the configuration spaces of ports and bridges, on QEMU's and on models made of their bytes: header, windows,
/// bus numbers, bridge control, PCI Express capability and ACS.
///
/// Each seed begins where the one before has ended. `-Ddoorbell.config.count=5000` runs more of them.
@DisplayName(
    "PCI Express Base 6.0 7.5.1.3, 7.5.3, 7.7.11: what software reads back of a bridge is what our model of it answers")
class BridgeConfigTest {
  private static final int SEEDS = Integer.getInteger("doorbell.config.count", 300);
  private static final int WRITES = 40;
  private static final int HEADER = 0x40;

  /// Of Bridge Control what conventional buses alone have, and the model has not: Master Abort Mode, fast back-to-back transactions, discard
  /// timers.
  private static final int CONVENTIONAL_CONTROL = 0x0ba0_0000;

  private static final long ECAM = 0x40_1000_0000L;
  private static final Sbdf FUNCTION = Sbdf.parse("00:01.0");

  @ParameterizedTest
  @ValueSource(
      strings = {
        "pcie-root-port,id=a,chassis=1",
        "ioh3420,id=a,chassis=1",
        "x3130-upstream,id=a",
        "xio3130-downstream,id=a,chassis=1",
        "pcie-pci-bridge,id=a",
        "pci-bridge,id=a,chassis_nr=1"
      })
  void same(String device) {
    boolean below = device.startsWith("xio");
    Devices devices =
        below
            ? Devices.of("x3130-upstream,id=up,addr=1", device + ",bus=up")
            : Devices.of(device + ",addr=1");
    try (QemuMachine machine = QemuMachine.start(Qemus.orSkip(), Board.GICV3, devices)) {
      Twins twins = new Twins(machine, below ? below(machine) : FUNCTION);
      for (long seed = 1; seed <= SEEDS; seed++) {
        twins.run(new SplittableRandom(seed));
      }
      assertEquals(Map.of(), twins.differences, "differing bits by register");
    }
  }

  /// {@return the downstream port, which the description has numbered}
  private static Sbdf below(QemuMachine machine) {
    return machine.description().functions().stream()
        .map(FunctionDescription::sbdf)
        .filter(s -> s.bus() == 1)
        .findFirst()
        .orElseThrow();
  }

  /// A bridge and its model.
  private static final class Twins {
    final Map<String, Integer> differences = new TreeMap<>();
    private final Qtest qtest;
    private final long config;
    private final BridgeModel model;
    private final boolean conventional;
    private final Map<Integer, Integer> compared = new TreeMap<>();

    Twins(QemuMachine machine, Sbdf function) {
      qtest = machine.process().qtest();
      config = ECAM + ((long) function.requesterId() << 12);
      ByteBuffer bytes =
          ByteBuffer.allocate(CapabilityLayout.EXTENDED_BYTES).order(ByteOrder.LITTLE_ENDIAN);
      while (bytes.hasRemaining()) {
        bytes.putInt((int) qtest.read(config + bytes.position(), Integer.BYTES));
      }
      ConfigSpace image = ConfigImage.of(bytes.array(), function.toString());
      model = BridgeModel.ofImage(image);
      conventional = model.type().filter(t -> t != PortType.PCIE_TO_PCI_BRIDGE).isEmpty();
      compare(Capabilities.of(image, function.toString()));
    }

    /// Bits that the specifications leave no choice about.
    private void compare(Capabilities capabilities) {
      for (int at = 0; at < HEADER; at += Integer.BYTES) {
        compared.put(at, -1);
      }
      // 7.5.1.1.3: Parity Error Response may be hardwired to zero.
      compared.put(
          (int) ConfigHeaderLayout.COMMAND.offset(),
          (int) ~ConfigHeaderLayout.PARITY_ERROR_RESPONSE.mask());
      // The model has no I/O space, and a bridge's own BARs are none of the path of messages.
      for (int i = 0; i < 2; i++) {
        compared.remove((int) ConfigHeaderLayout.BAR.offset(i));
      }
      // 7.5.1.3.3: no latency timer on PCI Express; QEMU's can be written all the same.
      compared.put((int) BridgeHeaderLayout.PRIMARY_BUS.offset(), -1 >>> Byte.SIZE);
      compared.put((int) BridgeHeaderLayout.IO_BASE.offset(), ~0xffff);
      compared.remove((int) BridgeHeaderLayout.IO_BASE_UPPER.offset());
      compared.remove((int) BridgeHeaderLayout.ROM.offset());
      if (conventional) {
        compared.put(HEADER - Integer.BYTES, ~CONVENTIONAL_CONTROL);
      }
      capabilities.all().stream()
          .filter(c -> c.id() == CapabilityLayout.PCI_EXPRESS)
          .map(Capability::offset)
          .findFirst()
          .ifPresent(at -> {
            compared.put(at, -1);
            compared.put(at + 4, -1);
          });
      capabilities
          .findExtended(CapabilityLayout.EXTENDED_ACS)
          .thing()
          .ifPresent(
              c -> compared.put(c.offset() + (int) ExtendedLayout.ACS_CAPABILITY.offset(), -1));
    }

    void run(SplittableRandom dice) {
      QtestBatch batch = qtest.batch();
      List<int[]> reads = new ArrayList<>();
      List<Integer> ours = new ArrayList<>();
      List<Integer> places = new ArrayList<>(compared.keySet());
      for (int i = 0; i < WRITES; i++) {
        int bytes = 1 << dice.nextInt(3);
        int at = (places.get(dice.nextInt(places.size())) + dice.nextInt(Integer.BYTES)) & -bytes;
        int value =
            switch (dice.nextInt(6)) {
              case 0 -> -1;
              case 1 -> 0;
              case 2 -> 1 << dice.nextInt(Integer.SIZE);
              default -> dice.nextInt();
            };
        batch.write(config + at, value, bytes);
        model.config().write(at, value & (int) (-1L >>> (Long.SIZE - 8 * bytes)), bytes);
        look(batch, at & -Integer.BYTES, reads, ours);
      }
      places.forEach(at -> look(batch, at, reads, ours));
      batch.run();
      for (int i = 0; i < reads.size(); i++) {
        int at = reads.get(i)[1];
        int differs =
            ((int) batch.value(reads.get(i)[0]) ^ ours.get(i)) & compared.getOrDefault(at, 0);
        if (differs != 0) {
          differences.merge("0x%02x bits 0x%x".formatted(at, differs), 1, Integer::sum);
        }
      }
    }

    private void look(QtestBatch batch, int at, List<int[]> reads, List<Integer> ours) {
      reads.add(new int[] {batch.read(config + at, Integer.BYTES), at});
      ours.add(model.config().read32(at));
    }
  }
}
