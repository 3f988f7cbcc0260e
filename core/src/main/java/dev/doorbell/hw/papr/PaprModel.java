package dev.doorbell.hw.papr;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.Hypervisor;
import dev.doorbell.bus.MmioDevice;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.bus.Translator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntFunction;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/// A hypervisor as a guest's calls find it: host bridges with PEs, DMA windows and messages, and interrupts for processors (XICS or XIVE). One lock for what
/// is done by RTAS; TCEs and interrupts have their own.
///
/// **Source**: LoPAPR 1.1; QEMU 10.0 `hw/ppc/spapr_iommu.c`, `spapr_pci.c`, `spapr_rtas_ddw.c`; Linux 6.12 `arch/powerpc/kvm/book3s_64_vio.c`.
public final class PaprModel implements Hypervisor {
  /// Bytes of the pages of all sources.
  public static final long SOURCE_BYTES = PaprXiveModel.BYTES;

  private static final int STUFF_MOST = 512;
  private static final long LIST_ALIGNMENT = 0x1000;

  /// A host bridge.
  ///
  /// @param buid by which calls name it
  /// @param quota interrupts that its functions may have together
  /// @param dynamic whether its PEs may have a second window
  /// @param liobnOf the window of a requester id
  public record Bridge(
      long buid,
      int quota,
      boolean dynamic,
      IntFunction<Optional<Long>> liobnOf,
      PaprFunctions functions) {}

  private final PhysicalMemory memory;
  private final LongPredicate isGuests;
  private final PaprInterruptsModel interrupts;
  private final Map<Long, PaprBridgeModel> bridges = new HashMap<>();
  private int busy;
  private int busyStatus;

  private PaprModel(PhysicalMemory memory, LongPredicate isGuests, PaprInterruptsModel interrupts) {
    this.memory = memory;
    this.isGuests = isGuests;
    this.interrupts = interrupts;
  }

  /// {@return a hypervisor that presents interrupts when processors ask (XICS)}
  ///
  /// @param isGuests whether a page begins at an address of the guest's memory
  /// @param servers numbers of processors, at least one
  public static PaprModel presenting(
      PhysicalMemory memory, LongPredicate isGuests, List<Long> servers) {
    return new PaprModel(memory, isGuests, new PaprXicsModel(servers));
  }

  /// {@return a hypervisor whose guest manages its interrupts itself (XIVE)}
  ///
  /// @param isGuests whether a page begins at an address of the guest's memory
  /// @param servers numbers of processors, at least one
  /// @param pages where the guest finds the {@link #SOURCE_BYTES} bytes of {@link #sourcePages}
  public static PaprModel exploited(
      PhysicalMemory memory, LongPredicate isGuests, List<Long> servers, Pa pages) {
    return new PaprModel(
        memory, isGuests, new PaprXiveModel(memory, isGuests, servers, pages.value()));
  }

  /// {@return the pages by which the guest manages its sources; empty where it does not}
  public Optional<MmioDevice> sourcePages() {
    return interrupts instanceof PaprXiveModel xive ? Optional.of(xive) : Optional.empty();
  }

  @Override
  public Optional<RegisterBus> context(int cpu) {
    return interrupts instanceof PaprXiveModel xive
        ? Optional.of(xive.context(cpu))
        : Optional.empty();
  }

  /// Adds a host bridge. Not while calls are made.
  public void add(Bridge bridge) {
    bridges.put(bridge.buid(), new PaprBridgeModel(bridge, interrupts));
  }

  /// {@return the way of accesses of a PE, which gets its first window. Not while calls are made}
  ///
  /// @param bridge one that was added
  public Translator addWindow(Bridge bridge, long liobn, AddressRange window) {
    PaprBridgeModel model = bridges.get(bridge.buid());
    if (model == null) {
      throw new IllegalArgumentException("there is no bridge 0x%x".formatted(bridge.buid()));
    }
    return model.translator(liobn, window);
  }

  /// Answers the next calls of ibm,change-msi, and of TCEs, with a status that asks to come again.
  public synchronized void beBusy(int calls, int status) {
    busy = calls;
    busyStatus = status;
  }

  private synchronized int busyNow() {
    if (busy == 0) {
      return 0;
    }
    busy--;
    return busyStatus;
  }

  @Override
  public void hcall(int cpu, long[] registers) {
    long call = registers[0];
    if (call == Calls.H_PUT_TCE
        || call == Calls.H_GET_TCE
        || call == Calls.H_STUFF_TCE
        || call == Calls.H_PUT_TCE_INDIRECT) {
      int later = busyNow();
      registers[0] = later == 0 ? tces(call, registers) : later;
    } else if (!interrupts.hcall(cpu, registers)) {
      registers[0] = Calls.H_FUNCTION;
    }
  }

  private long tces(long call, long[] r) {
    PeModel pe = withWindow(r[1]);
    TceTableModel table = pe == null ? null : pe.table(r[1]);
    if (pe == null || table == null) {
      return Calls.H_PARAMETER;
    }
    long at = r[2] & -(1L << table.shift());
    if (call == Calls.H_GET_TCE) {
      if (!table.holds(at, 1)) {
        return Calls.H_PARAMETER;
      }
      r[1] = table.get(at);
      return Calls.H_SUCCESS;
    }
    long status = change(call, table, at, r);
    pe.drain();
    return status;
  }

  private long change(long call, TceTableModel table, long at, long[] r) {
    if (call == Calls.H_PUT_TCE) {
      if (!table.holds(at, 1) || !isAllowed(r[3])) {
        return Calls.H_PARAMETER;
      }
      table.set(at, r[3]);
      return Calls.H_SUCCESS;
    }
    long count = r[4];
    if (count < 0 || count > STUFF_MOST || !table.holds(at, count)) {
      return Calls.H_PARAMETER;
    }
    if (call == Calls.H_STUFF_TCE) {
      if (!isAllowed(r[3])) {
        return Calls.H_PARAMETER;
      }
      table.fill(at, count, r[3]);
      return Calls.H_SUCCESS;
    }
    return list(table, at, r[3], (int) count);
  }

  /// All of a list is looked at before the first is taken over.
  private long list(TceTableModel table, long at, long list, int count) {
    if (list % LIST_ALIGNMENT != 0 || !isGuests.test(list)) {
      return Calls.H_PARAMETER;
    }
    for (int i = 0; i < count; i++) {
      if (!isAllowed(entry(list, i))) {
        return Calls.H_PARAMETER;
      }
    }
    for (int i = 0; i < count; i++) {
      table.set(at + ((long) i << table.shift()), entry(list, i));
    }
    return Calls.H_SUCCESS;
  }

  private long entry(long list, int index) {
    return Long.reverseBytes(memory.read64(list + (long) index * Long.BYTES));
  }

  private boolean isAllowed(long tce) {
    boolean opens = TceLayout.READ.isSet(tce) || TceLayout.WRITE.isSet(tce);
    return !opens || isGuests.test(TceLayout.RPN.get(tce));
  }

  private @Nullable PeModel withWindow(long liobn) {
    for (PaprBridgeModel b : bridges.values()) {
      PeModel pe = b.withWindow(liobn);
      if (pe != null) {
        return pe;
      }
    }
    return null;
  }

  @Override
  public synchronized boolean rtas(String call, int[] arguments, int[] results) {
    switch (call) {
      case Calls.SET_XIVE, Calls.GET_XIVE, Calls.INT_ON, Calls.INT_OFF ->
          results[0] = interrupts.rtas(call, arguments, results);
      case Calls.REMOVE_WINDOW -> results[0] = remove(arguments);
      case Calls.READ_CONFIG,
          Calls.WRITE_CONFIG,
          Calls.CHANGE_MSI,
          Calls.SOURCE_NUMBER,
          Calls.QUERY_WINDOW,
          Calls.CREATE_WINDOW,
          Calls.RESET_WINDOW,
          Calls.PE_ADDRESS,
          Calls.EEH_OPTION,
          Calls.SLOT_RESET,
          Calls.SLOT_STATE ->
          results[0] = atBridge(call, arguments, results);
      default -> {
        return false;
      }
    }
    return true;
  }

  private int remove(int[] arguments) {
    long liobn = arguments.length == 1 ? Integer.toUnsignedLong(arguments[0]) : 0;
    PeModel pe = withWindow(liobn);
    if (pe == null || liobn != pe.secondLiobn()) {
      return Calls.RTAS_PARAMETER;
    }
    pe.second(null);
    return Calls.RTAS_OK;
  }

  private int atBridge(String call, int[] arguments, int[] results) {
    if (arguments.length < 3) {
      return Calls.RTAS_PARAMETER;
    }
    long buid = (long) arguments[1] << Integer.SIZE | Integer.toUnsignedLong(arguments[2]);
    PaprBridgeModel bridge = bridges.get(buid);
    if (bridge == null) {
      return Calls.RTAS_PARAMETER;
    }
    int later = call.equals(Calls.CHANGE_MSI) ? busyNow() : 0;
    return later == 0 ? bridge.rtas(call, arguments, results) : later;
  }
}
