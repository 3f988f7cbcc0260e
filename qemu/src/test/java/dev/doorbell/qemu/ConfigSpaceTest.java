package dev.doorbell.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.bus.BusOutcome;
import dev.doorbell.hw.pcie.EndpointModel;
import dev.doorbell.hw.pcie.EndpointRegisters;
import dev.doorbell.pci.BarDecode;
import dev.doorbell.pci.Capabilities;
import dev.doorbell.pci.Capability;
import dev.doorbell.pci.CapabilityLayout;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.ConfigImage;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.MsiLayout;
import dev.doorbell.pci.MsixCapability;
import dev.doorbell.pci.MsixLayout;
import dev.doorbell.pci.Sbdf;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Random writes of software to configuration spaces and MSI-X tables, on QEMU's devices and on models made of their bytes.
///
/// Each seed begins where the one before has ended. `-Ddoorbell.config.count=20000` runs more of them.
@DisplayName(
    "issue 3: what software reads back of a device's configuration space and MSI-X table is what our model of it answers")
class ConfigSpaceTest {
  private static final String COUNT = "doorbell.config.count";
  private static final int USUAL = 300;
  private static final int WRITES = 40;
  private static final int SPACE = 256;
  private static final int HEADER = 0x40;
  private static final long ECAM = 0x40_1000_0000L;
  private static final long PLACE = 0x1000_0000L;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "edu",
        "e1000e,romfile=",
        "nvme,serial=a,max_ioqpairs=8,msix_qsize=9",
        "nec-usb-xhci,msi=on,msix=off",
        "nec-usb-xhci,msi=off,msix=on",
        "virtio-net-pci,romfile=,vectors=4"
      })
  void same(String device) {
    assertEquals(
        Map.of(),
        differences(Qemus.orSkip(), device, 1, Integer.getInteger(COUNT, USUAL)),
        "differing bits by register");
  }

  /// {@return where the two differed, each with the bits that did and how often}
  static Map<String, Integer> differences(QemuBinary binary, String device, long seed, int count) {
    try (QemuMachine machine =
        QemuMachine.start(binary, Board.GICV3, Devices.of(device + ",addr=1"))) {
      Twins twins = new Twins(machine);
      for (long s = seed; s < seed + count; s++) {
        twins.run(new SplittableRandom(s));
      }
      return twins.differences;
    }
  }

  /// A device and its model.
  private static final class Twins {
    private static final Sbdf FUNCTION = Sbdf.parse("00:01.0");

    final Map<String, Integer> differences = new TreeMap<>();
    private final Qtest qtest;
    private final long config = ECAM + ((long) FUNCTION.requesterId() << 12);
    private final EndpointModel model;
    private final List<BarDecode> bars;
    private final List<BarDecode> ports;
    private final List<Capability> capabilities;
    private final Optional<MsixCapability> msix;
    private final Map<Integer, Integer> compared;

    Twins(QemuMachine machine) {
      qtest = machine.process().qtest();
      List<BarDecode> all = BarDecode.size(machine.config(FUNCTION), FUNCTION.toString()).bars();
      bars = all.stream().filter(b -> b.kind() != BarDecode.Kind.IO).toList();
      ports = all.stream().filter(b -> b.kind() == BarDecode.Kind.IO).toList();
      machine.process().reset();
      ByteBuffer bytes = ByteBuffer.allocate(SPACE).order(ByteOrder.LITTLE_ENDIAN);
      for (int at = 0; at < SPACE; at += Integer.BYTES) {
        bytes.putInt((int) qtest.read(config + at, Integer.BYTES));
      }
      ConfigSpace image = ConfigImage.of(bytes.array(), FUNCTION.toString());
      long[] sizes = new long[6];
      bars.forEach(b -> sizes[b.index()] = b.bytes().orElse(0));
      model = EndpointModel.ofImage(image, sizes, EndpointRegisters.NONE);
      capabilities = Capabilities.of(image, FUNCTION.toString()).all();
      msix =
          capabilities.stream()
              .filter(c -> c.id() == CapabilityLayout.MSIX)
              .findFirst()
              .map(c -> MsixCapability.at(FUNCTION.toString(), image, c.offset()));
      compared = compared();
    }

    void run(SplittableRandom dice) {
      QtestBatch batch = qtest.batch();
      List<int[]> reads = new ArrayList<>();
      List<Integer> ours = new ArrayList<>();
      for (int i = 0; i < WRITES; i++) {
        int bytes = 1 << dice.nextInt(3);
        int at = offset(dice) & -bytes;
        int value = value(dice);
        if (flr(at, bytes)) {
          continue;
        }
        batch.write(config + at, value, bytes);
        model.config().write(at, value & (int) (-1L >>> (Long.SIZE - 8 * bytes)), bytes);
        look(batch, at & -Integer.BYTES, reads, ours);
      }
      compared.keySet().forEach(at -> look(batch, at, reads, ours));
      batch.run();
      for (int i = 0; i < reads.size(); i++) {
        int theirs = (int) batch.value(reads.get(i)[0]);
        int at = reads.get(i)[1];
        note(name(at), (theirs ^ ours.get(i)) & compared.getOrDefault(at, 0));
      }
      msix.ifPresent(m -> table(m, dice));
    }

    private void look(QtestBatch batch, int at, List<int[]> reads, List<Integer> ours) {
      reads.add(new int[] {batch.read(config + at, Integer.BYTES), at});
      ours.add(model.config().read32(at));
    }

    private void note(String where, int differs) {
      if (differs != 0) {
        differences.merge("%s bits 0x%x".formatted(where, differs), 1, Integer::sum);
      }
    }

    /// A reset in between is not what is compared.
    private boolean flr(int at, int bytes) {
      return capabilities.stream()
          .filter(c -> c.id() == CapabilityLayout.PCI_EXPRESS)
          .anyMatch(c -> at <= c.offset() + 9 && at + bytes > c.offset() + 9);
    }

    private int offset(SplittableRandom dice) {
      return switch (dice.nextInt(5)) {
        case 0 -> (int) ConfigHeaderLayout.COMMAND.offset() + dice.nextInt(4);
        case 1 -> (int) ConfigHeaderLayout.BAR.offset(dice.nextInt(6)) + dice.nextInt(4);
        case 2 -> dice.nextInt(HEADER);
        default -> {
          List<Integer> all = compared.keySet().stream().filter(at -> at >= HEADER).toList();
          yield all.get(dice.nextInt(all.size())) + dice.nextInt(Integer.BYTES);
        }
      };
    }

    /// {@return bits of each register that the specifications leave no choice about, by its offset}
    private Map<Integer, Integer> compared() {
      Map<Integer, Integer> out = new TreeMap<>();
      for (int at = 0; at < HEADER; at += Integer.BYTES) {
        out.put(at, -1);
      }
      // PCI Express Base 6.0, 7.5.1.1.3: Parity Error Response may be hardwired to zero.
      out.put(
          (int) ConfigHeaderLayout.COMMAND.offset(),
          (int) ~ConfigHeaderLayout.PARITY_ERROR_RESPONSE.mask());
      // The model has no I/O space.
      ports.forEach(b -> out.remove((int) ConfigHeaderLayout.BAR.offset(b.index())));
      for (Capability c : capabilities) {
        switch (c.id()) {
          case CapabilityLayout.MSI -> msi(c.offset(), out);
          case CapabilityLayout.MSIX -> {
            for (int at = 0; at < 12; at += Integer.BYTES) {
              out.put(c.offset() + at, -1);
            }
          }
          case CapabilityLayout.PCI_EXPRESS -> {
            // Of Device Control a root complex integrated endpoint may have nothing (7.5.3.4).
            out.put(c.offset(), -1);
            out.put(c.offset() + 4, -1);
          }
          default -> {
            // Power management is not modelled, and what others hold is the device's own affair.
          }
        }
      }
      return out;
    }

    private void msi(int at, Map<Integer, Integer> out) {
      long control = model.config().read16(at + (int) MsiLayout.CONTROL.offset());
      boolean wide = MsiLayout.ADDRESS64.isSet(control);
      int data = wide ? 12 : 8;
      // 7.7.1.2: what is enabled beyond what is capable is undefined.
      out.put(at, (int) ~(MsiLayout.MULTIPLE_ENABLE.mask() << Short.SIZE));
      for (int word = 4; word < data; word += Integer.BYTES) {
        out.put(at + word, -1);
      }
      out.put(at + data, (int) Character.MAX_VALUE);
      if (MsiLayout.MASKABLE.isSet(control)) {
        out.put(at + data + 4, -1);
        out.put(at + data + 8, -1);
      }
    }

    private static int value(SplittableRandom dice) {
      return switch (dice.nextInt(6)) {
        case 0 -> -1;
        case 1 -> 0;
        case 2 -> 1 << dice.nextInt(Integer.SIZE);
        default -> dice.nextInt();
      };
    }

    private String name(int at) {
      return capabilities.stream()
          .filter(c -> c.offset() <= at)
          .max((a, b) -> Integer.compare(a.offset(), b.offset()))
          .map(c -> "capability 0x%02x + 0x%x".formatted(c.id(), at - c.offset()))
          .orElse("header 0x%02x".formatted(at));
    }

    /// Table and pending bits, with the BARs in place, messages on and masked at will, and the function no bus master: nothing is sent.
    private void table(MsixCapability m, SplittableRandom dice) {
      long at = PLACE;
      for (BarDecode b : bars) {
        at = at + b.bytes().orElseThrow() - 1 & -b.bytes().orElseThrow();
        both((int) ConfigHeaderLayout.BAR.offset(b.index()), (int) at, Integer.BYTES);
        if (b.kind() == BarDecode.Kind.MEMORY_64) {
          both((int) ConfigHeaderLayout.BAR.offset(b.index() + 1), 0, Integer.BYTES);
        }
        at += b.bytes().orElseThrow();
      }
      both((int) ConfigHeaderLayout.COMMAND.offset(), 2, Short.BYTES);
      both(m.offset() + (int) MsixLayout.CONTROL.offset(), dice.nextInt(4) << 14, Short.BYTES);
      long table = base(m.tableBar()) + m.tableOffset();
      long pba = base(m.pbaBar()) + m.pbaOffset();
      for (int i = 0; i < WRITES; i++) {
        int entry = dice.nextInt(m.vectors()) * 16;
        long to =
            dice.nextInt(8) == 0
                ? pba + (dice.nextInt(m.vectors()) / 64) * 8L
                : table + entry + dice.nextInt(4) * 4;
        long value = Integer.toUnsignedLong(value(dice));
        qtest.write(to, value, Integer.BYTES);
        var unused = model.write(to, value, Integer.BYTES) == BusOutcome.OK;
        long theirs = qtest.read(to, Integer.BYTES);
        long mine = model.read(to, Integer.BYTES).value();
        boolean inTable = to >= table && to < table + m.vectors() * 16L;
        int word = inTable ? (int) (to - table) & 15 : -1;
        // 7.7.2.1, 7.7.2.4: the address's two lowest bits and what is beside the mask bit are
        // reserved.
        int compare = word == 0 ? -4 : word == 12 ? 1 : -1;
        note(
            inTable ? "table + 0x%x".formatted(word) : "pending bits",
            (int) (theirs ^ mine) & compare);
      }
    }

    private long base(int bar) {
      return qtest.read(config + ConfigHeaderLayout.BAR.offset(bar), Integer.BYTES) & -16L;
    }

    private void both(int at, int value, int bytes) {
      qtest.write(config + at, value, bytes);
      model.config().write(at, value, bytes);
    }
  }
}
