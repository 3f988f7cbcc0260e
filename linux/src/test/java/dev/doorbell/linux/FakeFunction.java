package dev.doorbell.linux;

import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.hw.pcie.BarModel;
import dev.doorbell.hw.pcie.DemoRegisters;
import dev.doorbell.hw.pcie.EndpointModel;
import dev.doorbell.hw.pcie.EndpointSpec;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.MessageTable;
import dev.doorbell.pci.MsixCapability;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.Sbdf;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// A function bound to vfio-pci as the fake kernel drives it: a model of an endpoint, and its vectors led to eventfds.
final class FakeFunction {
  static final long DOORBELL = 0x800_0040L;
  private static final int REQUEST = 4;
  private static final int COMMAND = (int) ConfigHeaderLayout.COMMAND.offset();

  final Sbdf sbdf;
  final EndpointModel model;
  final int group;
  final boolean resizable;
  private final PciFunction pci;

  /// Vectors' eventfds, by vector; of one type at a time.
  private final TreeMap<Integer, Integer> fds = new TreeMap<>();

  /// The driver that has it; empty for none.
  String driver = "";

  /// Eventfds of what the kernel tells beside interrupts, by VFIO's index: 3 errors, 4 that the host wants the function back.
  private final TreeMap<Integer, Integer> notices = new TreeMap<>();

  private int type = -1;
  private int granted;
  private int firstIrq;

  /// INTx, of a function that has it.
  @Nullable FakeLine line;

  /// Parts of BAR 0 that may be mapped, some of them without length; empty where the kernel does not tell them apart.
  List<long[]> sparse = List.of();

  /// Whether BARs may be mapped, and written.
  boolean mayBeMapped = true;

  boolean mayBeWritten = true;

  /// Bytes at the end of configuration space that the kernel does not show.
  int hiddenConfig;

  /// How many files proved who owns it when it was hot reset last.
  int provenBy;

  /// How many vectors the host has left for this function.
  int vectorsLeft = Integer.MAX_VALUE;

  /// Whether processors are what is short: the kernel does not say then how many vectors there are.
  boolean shortOfProcessors;

  FakeFunction(Sbdf sbdf, EndpointSpec spec, boolean resizable) {
    this.sbdf = sbdf;
    this.group = sbdf.device();
    this.resizable = resizable;
    model = EndpointModel.create(spec, new DemoRegisters(spec.msix().isPresent() ? 8 : 8));
    pci = PciFunction.of(sbdf, model.config(), sbdf.toString());
  }

  void place() {
    for (BarModel b : model.bars()) {
      model.placeBar(b.index(), address(b.index()));
    }
    model.config().write(COMMAND, 2, 2);
  }

  private long address(int bar) {
    return 0x1_0000_0000L + sbdf.device() * 0x10_0000L + bar * 0x2_0000L;
  }

  Optional<BarModel> bar(int index) {
    return model.bars().stream().filter(b -> b.index() == index).findFirst();
  }

  RegisterBus window(int bar) {
    long start = address(bar);
    return new RegisterBus() {
      @Override
      public long read(long offset, int bytes) {
        return model.read(start + offset, bytes).value();
      }

      @Override
      public void write(long offset, long value, int bytes) {
        if (model.write(start + offset, value, bytes) != BusOutcome.OK) {
          throw new IllegalStateException("nothing answers at 0x" + Long.toHexString(offset));
        }
      }
    };
  }

  Optional<MsixCapability> msix() {
    return pci.msix().thing();
  }

  /// {@return vectors of a VFIO interrupt index}
  int vectors(int index) {
    return switch (index) {
      case 0 -> line == null ? 0 : 1;
      case 1 -> pci.msi().thing().map(MessageTable::size).orElse(0);
      case 2 -> msix().map(MsixCapability::vectors).orElse(0);
      case 3, REQUEST -> 1;
      default -> 0;
    };
  }

  /// {@return the eventfd that is signalled when the host wants the function back}
  Optional<Integer> request() {
    return Optional.ofNullable(notices.get(REQUEST));
  }

  private MessageTable table(int index) {
    return index == 1
        ? pci.msi().thing().orElseThrow()
        : msix().map(m -> m.table(window(m.tableBar()), window(m.pbaBar()))).orElseThrow();
  }

  /// `vfio_pci_set_msi_trigger` with eventfds.
  int setTriggers(int index, int start, List<Integer> list, int irqBase) {
    if (index > 2) {
      notices.put(index, list.getFirst());
      return 0;
    }
    if (type != -1 && type != index) {
      return -Errno.EINVAL.number();
    }
    boolean fresh = type == -1;
    if (fresh) {
      int wanted = start + list.size();
      if (wanted > vectorsLeft) {
        return vectorsLeft == 0 || shortOfProcessors ? -Errno.ENOSPC.number() : vectorsLeft;
      }
      type = index;
      granted = wanted;
      firstIrq = irqBase;
      program(wanted);
    } else if (start + list.size() > granted && !resizable) {
      return -Errno.EINVAL.number();
    }
    for (int i = 0; i < list.size(); i++) {
      set(start + i, list.get(i));
    }
    return 0;
  }

  private void program(int count) {
    MessageTable t = table(type);
    int programmed = type == 1 ? t.size() : Math.max(count, resizable ? t.size() : count);
    for (int v = 0; v < programmed; v++) {
      if (t.isMaskable()) {
        t.mask(v, true);
      }
      t.write(v, DOORBELL, v);
    }
    t.enable(type == 1 ? Integer.highestOneBit(Math.max(1, 2 * count - 1)) : count);
  }

  private void set(int vector, int fd) {
    MessageTable t = table(type);
    if (fd < 0) {
      if (t.isMaskable()) {
        t.mask(vector, true);
      }
      fds.remove(vector);
    } else {
      fds.put(vector, fd);
      if (t.isMaskable()) {
        t.mask(vector, false);
      }
    }
  }

  int disable(int index) {
    if (index > 2) {
      notices.remove(index);
      return 0;
    }
    if (type != -1) {
      table(type).disable();
    }
    fds.clear();
    type = -1;
    return 0;
  }

  /// {@return eventfds of some vectors, of those that have one}
  List<Integer> fds(int index, int start, int count) {
    return type == index
        ? List.copyOf(fds.subMap(start, true, start + count - 1, true).values())
        : List.of();
  }

  void mask(int vector, boolean masked) {
    table(type).mask(vector, masked);
  }

  boolean has(int index) {
    return type == index;
  }

  /// {@return the eventfd of an event, which is a vector's number as an ITS has it}
  Optional<Integer> fdOf(int event) {
    return type == -1 ? Optional.empty() : Optional.ofNullable(fds.get(event));
  }

  /// What Linux does around a reset: everything that it programmed is put back.
  void reset() {
    int command = model.config().read16(COMMAND);
    List<Integer> masked = new ArrayList<>();
    MessageTable t = type == -1 ? null : table(type);
    if (t != null && t.isMaskable()) {
      for (int v = 0; v < granted; v++) {
        if (t.isMasked(v)) {
          masked.add(v);
        }
      }
    }
    model.reset();
    place();
    model.config().write(COMMAND, command, 2);
    if (t != null) {
      program(granted);
      for (int v = 0; v < granted; v++) {
        if (t.isMaskable() && !masked.contains(v)) {
          t.mask(v, false);
        }
      }
    }
  }

  /// What vfio-pci does when the last file of the function is closed.
  void closed() {
    notices.clear();
    if (line != null) {
      line.disable();
    }
    disable(type);
    model.reset();
    place();
  }

  /// {@return interrupts that the kernel has for it, by vector}
  Map<Integer, Integer> irqs() {
    Map<Integer, Integer> out = new TreeMap<>();
    fds.keySet().forEach(v -> out.put(v, firstIrq + v));
    return out;
  }

  boolean isBusMaster() {
    return ConfigHeaderLayout.BUS_MASTER_ENABLE.isSet(model.config().read16(COMMAND));
  }
}
