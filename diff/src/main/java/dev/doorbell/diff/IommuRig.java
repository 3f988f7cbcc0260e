package dev.doorbell.diff;

import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.Translator;
import dev.doorbell.irq.X86CommandLayout;
import java.util.ArrayList;
import java.util.List;

/// Doorbell's model of an IOMMU at its place on a board, with local APICs that only tell what reached them.
final class IommuRig implements Rig {
  private final ComparedIommu iommu;
  private final PhysicalMemory memory;
  private final List<String> interrupts = new ArrayList<>();
  private ComparedIommu.Unit unit;
  private long landed = -1;
  private int overwritten;

  IommuRig(ComparedIommu iommu) {
    this(iommu, iommu.board().memory());
  }

  /// @param memory the board's RAM
  IommuRig(ComparedIommu iommu, PhysicalMemory memory) {
    this.iommu = iommu;
    this.memory = memory;
    unit = iommu.unit(memory, this::arrives);
  }

  private boolean arrives(long destination, int command, boolean wide) {
    interrupts.add(
        Pc.interrupt(
            destination,
            X86CommandLayout.LOGICAL.getInt(command),
            X86CommandLayout.DELIVERY_MODE.getInt(command),
            X86CommandLayout.VECTOR.getInt(command)));
    return true;
  }

  @Override
  public String name() {
    return "model";
  }

  @Override
  public void reset() {
    interrupts.clear();
    unit = iommu.unit(memory, this::arrives);
  }

  @Override
  public PhysicalMemory memory() {
    return memory;
  }

  @Override
  public void write(long address, long value, int bytes) {
    if (unit.registers().write(address - iommu.base(), value, bytes, -1) == BusOutcome.ERROR) {
      throw new BusErrorException("write", address, bytes);
    }
  }

  @Override
  public void store(long address, List<Long> words) {
    for (int i = words.size() - 1; i >= 0; i--) {
      memory.write64(address + (long) i * Long.BYTES, words.get(i));
    }
  }

  @Override
  public long[] ask(List<Place> places) {
    long[] out = new long[places.size()];
    for (int i = 0; i < out.length; i++) {
      Place p = places.get(i);
      if (iommu.board().holds(p.address(), p.bytes())) {
        out[i] = memory.read(p.address(), p.bytes());
        continue;
      }
      BusRead read = unit.registers().read(p.address() - iommu.base(), p.bytes());
      if (read.outcome() == BusOutcome.ERROR) {
        throw new BusErrorException("read", p.address(), p.bytes());
      }
      out[i] = read.value();
    }
    return out;
  }

  @Override
  public void settle() {}

  @Override
  public void message(int requester, long address, int data) {
    landed = -1;
    List<Integer> requesters = iommu.board().requesters();
    if (!requesters.contains(requester)) {
      throw new IllegalArgumentException(
          "no device with requester id 0x%x; there are %s".formatted(requester, requesters));
    }
    Translator translator = unit.translator();
    long pa =
        iommu.isMessage(address)
            ? Translator.MESSAGE
            : translator.translate(requester, -1, address, Translator.WRITE);
    if (pa == Translator.MESSAGE) {
      var unused = translator.message(requester, address, data, Integer.BYTES);
    } else if (pa >= 0 && iommu.board().holds(pa, Integer.BYTES)) {
      landed = pa;
      overwritten = memory.read32(pa);
      memory.write32(pa, data);
    }
  }

  @Override
  public long fetch(int requester, long address) {
    throw new IllegalArgumentException("no device reads here");
  }

  /// {@return where in memory the last message was written, or -1}
  long landed() {
    return landed;
  }

  /// {@return the four bytes that were there before}
  int overwritten() {
    return overwritten;
  }

  @Override
  public List<String> interrupts() {
    List<String> out = List.copyOf(interrupts);
    interrupts.clear();
    return out;
  }

  @Override
  public void close() {}
}
