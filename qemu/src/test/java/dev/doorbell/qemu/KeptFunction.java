package dev.doorbell.qemu;

import dev.doorbell.bus.RegisterBus;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.MessageTable;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.Sbdf;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// A function as QEMU's was at the start, whose registers are memory.
final class KeptFunction implements ConfigSpace {
  private static final int BYTES = 0x1000;

  private final int rid;
  private final ByteBuffer config = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
  private final Map<Integer, RegisterBus> bars = new HashMap<>();

  KeptFunction(ConfigSpace of, int rid) {
    this.rid = rid;
    for (int i = 0; i < 0x100; i += 4) {
      config.putInt(i, of.read(i, 4));
    }
  }

  Optional<MessageTable> table(MessageTable.Kind kind) {
    PciFunction f = PciFunction.of(Sbdf.of(0, rid), this, "copy");
    return kind == MessageTable.Kind.MSI
        ? f.msi().thing().map(m -> m)
        : f.msix().thing().map(m -> m.table(bar(m.tableBar()), bar(m.pbaBar())));
  }

  private RegisterBus bar(int index) {
    return bars.computeIfAbsent(index, _ -> new Plain());
  }

  @Override
  public int size() {
    return BYTES;
  }

  @Override
  public int read(int offset, int bytes) {
    int all = config.getInt(offset & -4) >>> 8 * (offset & 3);
    return bytes == 4 ? all : all & (1 << 8 * bytes) - 1;
  }

  @Override
  public void write(int offset, int value, int bytes) {
    for (int i = 0; i < bytes; i++) {
      config.put(offset + i, (byte) (value >>> 8 * i));
    }
  }

  private static final class Plain implements RegisterBus {
    private final Map<Long, Byte> bytes = new HashMap<>();

    @Override
    public long read(long offset, int count) {
      long out = 0;
      for (int i = count - 1; i >= 0; i--) {
        out = out << 8 | bytes.getOrDefault(offset + i, (byte) 0) & 0xff;
      }
      return out;
    }

    @Override
    public void write(long offset, long value, int count) {
      for (int i = 0; i < count; i++) {
        bytes.put(offset + i, (byte) (value >>> 8 * i));
      }
    }
  }
}
