package dev.doorbell.hw.papr;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.Hypervisor;
import dev.doorbell.bus.MmioDevice;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.bus.Translator;
import dev.doorbell.explain.Source;
import dev.doorbell.pci.ConfigImage;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.MessageTable;
import dev.doorbell.simple.CountedFrames;
import dev.doorbell.simple.PlainMemory;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// A driver on the model of a hypervisor, with two PEs behind one bridge, and calls that can be left out.
final class PaprBench implements Hypervisor {
  static final long BUID = 0x800_0000_2000_0000L;
  static final long LIOBN = 0x8000_0000L;
  static final long OTHER = 0x8000_0100L;
  static final int RID = 0x100;
  static final int OTHER_RID = 0x200;
  static final int QUOTA = 8;
  static final long RAM = 0x1000_0000L;
  static final Pa PAGES = new Pa(0x6_0100_0000_0000L);
  static final int PRIORITY = 6;
  static final int QUEUE_SHIFT = 12;
  private static final List<Long> SERVERS = List.of(8L, 3L);
  private static final int RAM_BYTES = 0x10_0000;

  final PlainMemory memory = new PlainMemory(RAM, RAM_BYTES);
  final CountedFrames frames = new CountedFrames(memory, RAM + 0x8_0000, 0x8_0000);
  final PaprModel model;
  final Map<Integer, FakeTable> tables = new HashMap<>();
  final List<Long> pauses = new ArrayList<>();

  /// Names of calls that have no effect, and of those that the hypervisor does not have.
  final Set<String> leftOut = new TreeSet<>();

  /// What no function has.
  MessageTable.@Nullable Kind lacking;

  final Set<String> absent = new TreeSet<>();

  /// Whether MSI-X is given in powers of two alone, as some firmware does.
  boolean powersOnly;

  /// How often the next states of PEs are not there, and names by which PEs were asked for.
  int unavailable;

  final List<Integer> named = new ArrayList<>();

  /// Whether pages of sources are the hypervisor's.
  boolean byCall;

  final List<String> made = Collections.synchronizedList(new ArrayList<>());

  private final Translator first;
  private final Translator second;
  final PaprCalls calls = new PaprCalls("bench", this, pauses::add);
  final PaprInterruptDriver interrupts;
  final PaprDriver driver;
  final PaprDriver other;
  final PaprMsiDriver messages;

  /// One whose processors ask for interrupts (XICS).
  PaprBench() {
    this(false);
  }

  /// @param exploited whether the guest manages its interrupts itself (XIVE)
  PaprBench(boolean exploited) {
    model =
        exploited
            ? PaprModel.exploited(memory, PaprBench::isGuests, SERVERS, PAGES)
            : PaprModel.presenting(memory, PaprBench::isGuests, SERVERS);
    PaprModel.Bridge bridge =
        new PaprModel.Bridge(
            BUID, QUOTA, true, rid -> Optional.of(rid < OTHER_RID ? LIOBN : OTHER), functions());
    model.add(bridge);
    AddressRange window = AddressRange.ofSize(0, 0x40_0000);
    first = model.addWindow(bridge, LIOBN, window);
    second = model.addWindow(bridge, OTHER, window);
    interrupts =
        exploited
            ? PaprInterruptDriver.open(
                calls,
                new PaprHardware.Exploitation(
                    SERVERS, PRIORITY, QUEUE_SHIFT, memory, frames, pages()))
            : PaprInterruptDriver.open(calls, SERVERS);
    driver = open("tce@a", LIOBN, RID, window);
    other = open("tce@b", OTHER, OTHER_RID, window);
    messages =
        PaprMsiDriver.open(
            new PaprHardware.Messages(
                "msi@a", BUID, OptionalInt.empty(), Source.rule("bench"), functions()),
            calls,
            interrupts);
    made.clear();
  }

  private static boolean isGuests(long pa) {
    return pa >= RAM && pa < RAM + RAM_BYTES;
  }

  /// Of sources through the window that the model says, of processors each its own.
  PaprHardware.Pages pages() {
    return new PaprHardware.Pages() {
      @Override
      public RegisterBus registers(AddressRange window) {
        return new PageBus(model.sourcePages().orElseThrow(), window.start() - PAGES.value());
      }

      @Override
      public RegisterBus context(int cpu) {
        return model.context(cpu).orElseThrow();
      }
    };
  }

  /// A part of a device's registers.
  record PageBus(MmioDevice device, long start) implements RegisterBus {
    @Override
    public long read(long offset, int bytes) {
      BusRead r = device.read(start + offset, bytes);
      if (r.outcome() != BusOutcome.OK) {
        throw new BusErrorException("read", start + offset, bytes);
      }
      return r.value();
    }

    @Override
    public void write(long offset, long value, int bytes) {
      if (device.write(start + offset, value, bytes, SystemBus.CPU) != BusOutcome.OK) {
        throw new BusErrorException("write", start + offset, bytes);
      }
    }
  }

  PaprDriver open(String id, long liobn, int rid, AddressRange window) {
    return PaprDriver.open(
        new PaprHardware(
            id,
            liobn,
            window,
            Optional.of(new PaprHardware.Endpoint(BUID, rid, true, Source.rule("bench"))),
            memory,
            frames),
        calls);
  }

  private PaprFunctions functions() {
    return new PaprFunctions() {
      @Override
      public Optional<ConfigSpace> config(int rid) {
        return Optional.of(ConfigImage.of(new byte[] {(byte) rid, 2, 3, 4}, "bench"));
      }

      @Override
      public Optional<MessageTable> table(int rid, MessageTable.Kind kind) {
        return Optional.of(kind)
            .filter(k -> k != lacking)
            .map(k ->
                tables.computeIfAbsent(
                    rid << 1 | kind.ordinal(),
                    _ -> new FakeTable(kind, kind == MessageTable.Kind.MSI ? 32 : 64)));
      }
    };
  }

  @Override
  public void hcall(int cpu, long[] registers) {
    String name = Calls.name(registers[0]);
    made.add(name);
    if (absent.contains(name)) {
      registers[0] = Calls.H_FUNCTION;
    } else if (leftOut.contains(name)) {
      registers[0] = Calls.H_SUCCESS;
      registers[1] = 0;
    } else {
      model.hcall(cpu, registers);
    }
    if (byCall && name.equals("H_INT_GET_SOURCE_INFO")) {
      registers[1] |= XiveCalls.BY_CALL.mask();
      registers[2] = -1;
      registers[3] = -1;
    }
  }

  @Override
  public boolean rtas(String call, int[] arguments, int[] results) {
    made.add(call);
    if (absent.contains(call)) {
      return false;
    }
    if (leftOut.contains(call)) {
      results[0] = 0;
      return true;
    }
    boolean odd =
        call.equals(Calls.CHANGE_MSI)
            && arguments[3] == Calls.CHANGE_MSIX
            && Integer.bitCount(arguments[4]) > 1;
    if (powersOnly && odd) {
      results[0] = Calls.RTAS_PARAMETER;
      return true;
    }
    return call.equals(Calls.SLOT_STATE)
        ? state(arguments, results)
        : model.rtas(call, arguments, results);
  }

  private boolean state(int[] arguments, int[] results) {
    named.add(arguments[0]);
    boolean there = model.rtas(Calls.SLOT_STATE, arguments, results);
    if (unavailable > 0) {
      unavailable--;
      results[1] = Calls.STATE_UNAVAILABLE;
      results[3] = 50;
    }
    return there;
  }

  long access(int rid, long iova, int kind) {
    Translator t = rid < OTHER_RID ? first : second;
    return t.translate((int) (rid < OTHER_RID ? LIOBN : OTHER), -1, iova, kind);
  }

  long write(int rid, long iova) {
    return access(rid, iova, Translator.WRITE);
  }

  BusOutcome send(int rid, long address, int data) {
    Translator t = rid < OTHER_RID ? first : second;
    return t.isMessage(address) ? t.message(0, address, data, 4) : BusOutcome.ERROR;
  }

  /// {@return interrupts that arrive, as number and processor}
  List<List<Integer>> collect() {
    List<List<Integer>> out = new ArrayList<>();
    messages.collect((number, cpu) -> out.add(List.of(number, cpu)));
    return out;
  }

  /// A function's message registers.
  static final class FakeTable implements MessageTable {
    private final Kind kind;
    final long[] addresses;
    final int[] data;

    FakeTable(Kind kind, int size) {
      this.kind = kind;
      addresses = new long[size];
      data = new int[size];
    }

    @Override
    public Kind kind() {
      return kind;
    }

    @Override
    public int size() {
      return data.length;
    }

    @Override
    public boolean isMaskable() {
      return true;
    }

    @Override
    public boolean is64Bit() {
      return true;
    }

    @Override
    public long maxData() {
      return 0xffff_ffffL;
    }

    @Override
    public void write(int index, long address, int datum) {
      addresses[index] = address;
      data[index] = datum;
    }

    @Override
    public long address(int index) {
      return addresses[kind == Kind.MSI ? 0 : index];
    }

    @Override
    public int data(int index) {
      return kind == Kind.MSI ? data[0] | index : data[index];
    }

    @Override
    public void mask(int index, boolean masked) {
      throw new UnsupportedOperationException("not the hypervisor's to do");
    }

    @Override
    public boolean isMasked(int index) {
      return false;
    }

    @Override
    public boolean isPending(int index) {
      return false;
    }

    @Override
    public void enable(int count) {
      throw new UnsupportedOperationException("not the hypervisor's to do");
    }

    @Override
    public void disable() {
      throw new UnsupportedOperationException("not the hypervisor's to do");
    }

    @Override
    public boolean isEnabled() {
      return false;
    }

    @Override
    public Saved save(int from, int count) {
      long[] a = addresses.clone();
      int[] d = data.clone();
      return () -> {
        System.arraycopy(a, 0, addresses, 0, a.length);
        System.arraycopy(d, 0, data, 0, d.length);
      };
    }
  }
}
