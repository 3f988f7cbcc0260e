package dev.doorbell.hw.aplic;

import static dev.doorbell.hw.aplic.AplicRegisters.*;

import dev.doorbell.bus.RegisterBus;
import dev.doorbell.irq.MsiController;
import dev.doorbell.irq.Signal;
import dev.doorbell.irq.Wire;
import dev.doorbell.irq.Wires;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntUnaryOperator;

/// Drives a supervisor-level domain of an APLIC whose harts have interrupt files. Each source that is connected has a vector of the files'
/// controller; a message of an APLIC meets no IOMMU, so that there is nothing to map.
///
/// Safe for use from many threads; its lock is taken before the controller's.
///
/// **Source**: RISC-V AIA 1.0, 4.5, 4.9.2 (special consideration for level-sensitive sources), 4.9.3 (synchronizing interaction).
public final class AplicDriver {
  private final String id;
  private final RegisterBus registers;
  private final int sources;
  private final IntUnaryOperator hartIndex;
  private final ReentrantLock lock = new ReentrantLock();
  private final Wires wires;

  private AplicDriver(
      String id,
      RegisterBus registers,
      int sources,
      MsiController controller,
      IntUnaryOperator hartIndex) {
    this.id = id;
    this.registers = registers;
    this.sources = sources;
    this.hartIndex = hartIndex;
    wires = new Wires(controller, 0, lock);
  }

  /// {@return the driver of a domain, all of whose sources it has made inactive}
  ///
  /// @param sources how many there are, 1 to 1023
  /// @param controller that of the interrupt files
  /// @param hartIndex the domain's number of a CPU
  /// @throws DirectDelivery when the domain cannot forward interrupts as messages
  public static AplicDriver open(
      String id,
      RegisterBus registers,
      int sources,
      MsiController controller,
      IntUnaryOperator hartIndex) {
    AplicDriver d = new AplicDriver(id, registers, sources, controller, hartIndex);
    d.set(DOMAINCFG.offset(), DM.mask());
    long domain = d.get(DOMAINCFG.offset());
    if (ORDER.get(domain) != ORDER_VALUE || BE.isSet(domain) || !DM.isSet(domain)) {
      throw new DirectDelivery(id, domain);
    }
    for (int source = 1; source <= sources; source++) {
      d.set(SOURCECFG.offset(source - 1), 0);
    }
    d.set(DOMAINCFG.offset(), DM.mask() | IE.mask());
    return d;
  }

  public String id() {
    return id;
  }

  public int sources() {
    return sources;
  }

  /// Gives a source a vector, and lets it through.
  ///
  /// @throws dev.doorbell.irq.IrqException when there is no vector; nothing is changed then
  /// @throws IndexOutOfBoundsException when there is no such source
  /// @throws SourceRefused when the source is another domain's, or takes no such signal
  /// @throws IllegalStateException when the source has a vector
  public Source connect(int number, Signal signal, int cpu) {
    if (number < 1 || number > sources) {
      throw new IndexOutOfBoundsException(
          "%s has sources 1 to %d and no source %d".formatted(id, sources, number));
    }
    return wires.connect(
        "source %d of %s".formatted(number, id), cpu, end -> new Source(number, signal, end));
  }

  /// A connected source.
  public final class Source extends Wire {
    private final int number;
    private final Signal signal;
    private boolean masked;

    private Source(int number, Signal signal, End end) {
      super(end);
      this.number = number;
      this.signal = signal;
    }

    public int number() {
      return number;
    }

    /// Tells the APLIC that an interrupt was served: a wire that is active still interrupts again. Without it a level-sensitive source is silent
    /// until its wire has been inactive.
    public void served() {
      change(() -> {
        if (signal.isLevel()) {
          set(SETIPNUM_LE.offset(), number);
        }
      });
    }

    /// Holds the source back, or lets it through; what arrives meanwhile stays pending.
    public void mask(boolean hold) {
      change(() -> {
        masked = hold;
        set(hold ? CLRIENUM.offset() : SETIENUM.offset(), number);
      });
    }

    @Override
    protected long message() {
      return HART.place(hartIndex.applyAsInt(vector.cpu(0))) | EIID.place(vector.data(0));
    }

    /// A source that is active keeps its mode, and so what is pending there: only its target changes.
    @Override
    protected void program() {
      long mode = SM.place(mode(signal));
      long at = SOURCECFG.offset(number - 1);
      if (get(at) != mode) {
        set(at, mode);
        if (get(at) != mode) {
          throw new SourceRefused(id, number, signal, get(at));
        }
      }
      set(TARGET.offset(number - 1), message());
      if (!masked) {
        set(SETIENUM.offset(), number);
      }
    }

    @Override
    protected void silence() {
      set(SOURCECFG.offset(number - 1), 0);
    }
  }

  private static int mode(Signal signal) {
    if (signal.isLevel()) {
      return signal.isLow() ? LEVEL0 : LEVEL1;
    }
    return signal.isLow() ? EDGE0 : EDGE1;
  }

  private long get(long offset) {
    return Integer.toUnsignedLong(registers.read32(offset));
  }

  private void set(long offset, long value) {
    registers.write32(offset, (int) value);
  }

  /// {@return the registers that say what becomes of a source, by name: what a walker reads}
  public Map<String, Long> registers() {
    lock.lock();
    try {
      Map<String, Long> out = new HashMap<>();
      out.put(DOMAINCFG.name(), get(DOMAINCFG.offset()));
      for (int word = 0; word <= sources / SOURCES_PER_WORD; word++) {
        out.put(SETIE.name() + word, get(SETIE.offset(word)));
        out.put(SETIP.name() + word, get(SETIP.offset(word)));
      }
      for (int source = 1; source <= sources; source++) {
        out.put(SOURCECFG.name() + source, get(SOURCECFG.offset(source - 1)));
        out.put(TARGET.name() + source, get(TARGET.offset(source - 1)));
      }
      return out;
    } finally {
      lock.unlock();
    }
  }
}
