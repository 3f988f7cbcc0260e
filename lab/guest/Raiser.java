import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.iommu.Protection;
import dev.doorbell.qemu.DmaArea;
import dev.doorbell.qemu.NvmeStimulus;
import dev.doorbell.vfio.Container;
import dev.doorbell.vfio.Device;
import dev.doorbell.vfio.DmaBuffer;
import dev.doorbell.vfio.RegionType;

/// Makes a device raise its vectors through its registers. Its vectors are enabled before {@link #arm}.
interface Raiser extends AutoCloseable {
  /// Where devices that need memory find it; 28 bits reach it.
  Iova AT = new Iova(0x100_0000L);

  /// Lets the device interrupt, now and after each reset.
  void arm();

  void raise(int vector);

  /// Clears what was raised.
  default void clear() {}

  /// {@return whether a vector tells of other things, too}
  default boolean isBusy(int vector) {
    return false;
  }

  @Override
  default void close() {}

  static Raiser of(Kind kind, Container c, Device d) {
    RegisterBus r = d.region(RegionType.BAR0);
    return switch (kind) {
      case EDU -> new Edu(r);
      case E1000E -> new E1000e(r);
      case IGB -> new Igb(r);
      case NVME -> Nvme.of(kind, c, d, r);
    };
  }

  /// **Source**: QEMU, `docs/specs/edu`
  record Edu(RegisterBus r) implements Raiser {
    @Override
    public void arm() {}

    @Override
    public void raise(int vector) {
      r.write32(0x60, 1);
      clear();
    }

    @Override
    public void clear() {
      r.write32(0x64, r.read32(0x24));
    }
  }

  /// **Source**: Intel 82574 datasheet, 7.4, 10.2.4
  record E1000e(RegisterBus r) implements Raiser {
    private static final int LINK = 4;

    @Override
    public void arm() {
      r.write32(0xd8, -1);
      r.write32(0xc0, -1);
      r.write32(0x18, 0xc100_0000);
      r.write32(0xe4, 0x800c_ba98);
      // No throttling: a message that the device holds back would count for a later round.
      r.write32(0xc4, 0);
      for (int v = 0; v < 5; v++) {
        r.write32(0xe8 + 4 * v, 0);
      }
      r.write32(0xd0, 0x1f0_0000);
    }

    @Override
    public void raise(int vector) {
      r.write32(0xc8, 1 << 20 + vector);
    }

    @Override
    public void clear() {
      r.write32(0xc0, -1);
    }

    /// The link changes by itself some time after a reset.
    @Override
    public boolean isBusy(int vector) {
      return vector == LINK;
    }
  }

  /// **Source**: Intel 82576 datasheet, 7.3, 8.8
  record Igb(RegisterBus r) implements Raiser {
    @Override
    public void arm() {
      r.write32(0x1528, -1);
      r.write32(0x1514, 0x10);
      r.write32(0x1580, -1);
      r.write32(0x1524, 0x3ff);
    }

    @Override
    public void raise(int vector) {
      r.write32(0x1520, 1 << vector);
    }

    @Override
    public void clear() {
      r.write32(0x1580, -1);
    }
  }

  /// A VF of it, which has the same registers for three vectors.
  ///
  /// **Source**: Intel 82576 datasheet, 8.26
  record IgbVirtual(RegisterBus r) implements Raiser {
    @Override
    public void arm() {
      r.write32(0x1528, -1);
      r.write32(0x1514, 0x10);
      clear();
      r.write32(0x1524, 7);
    }

    @Override
    public void raise(int vector) {
      r.write32(0x1520, 1 << vector);
    }

    @Override
    public void clear() {
      r.write32(0x1580, -1);
    }
  }

  /// Its completions interrupt; its queues lie in memory that is mapped for it.
  final class Nvme implements Raiser {
    private final Device d;
    private final Container c;
    private final RegisterBus r;
    private final DmaBuffer buffer;
    private final int vectors;
    private NvmeStimulus stimulus;

    private Nvme(Device d, Container c, RegisterBus r, DmaBuffer buffer, int vectors) {
      this.d = d;
      this.c = c;
      this.r = r;
      this.buffer = buffer;
      this.vectors = vectors;
    }

    static Nvme of(Kind kind, Container c, Device d, RegisterBus r) {
      DmaBuffer buffer = c.allocate(NvmeStimulus.memoryBytes(kind.vectors()));
      c.map(AT, buffer, Protection.READ_WRITE);
      return new Nvme(d, c, r, buffer, kind.vectors());
    }

    @Override
    public void arm() {
      DmaArea area = new DmaArea(new BufferMemory(buffer), AT, new Pa(0), buffer.bytes());
      stimulus = NvmeStimulus.open(d.function().toString(), r, area, vectors);
    }

    @Override
    public void raise(int vector) {
      var unused = stimulus.raise(vector);
    }

    /// {@return the controller's own description of itself, brought by its DMA}
    String model() {
      byte[] b = new byte[40];
      var unused = stimulus.identify();
      buffer.read(24, b);
      return new String(b, java.nio.charset.StandardCharsets.US_ASCII).strip();
    }

    @Override
    public void close() {
      c.unmap(AddressRange.ofSize(AT.value(), buffer.bytes()));
      buffer.close();
    }
  }
}
