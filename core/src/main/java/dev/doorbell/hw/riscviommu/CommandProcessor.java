package dev.doorbell.hw.riscviommu;

import static dev.doorbell.hw.riscviommu.CommandLayout.*;
import static dev.doorbell.hw.riscviommu.RiscvIommuRegisters.*;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bits.BitKind;
import dev.doorbell.bus.AccessGate;
import dev.doorbell.bus.AtsMessages;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.PageResponse;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.vmsa.Invalidation;

/// The command queue and its registers. Guarded by the model's lock.
///
/// **Source**: RISC-V IOMMU Architecture 1.0, 4.1 and 6.12.
final class CommandProcessor {
  private static final long ERRORS = CQMF.mask() | CMD_TO.mask() | CMD_ILL.mask();

  /// What commands act on.
  record Targets(
      DeviceDirectory directory, PageWalk.Caches caches, AccessGate gate, AtsMessages devices) {}

  private final RiscvIommuFeatures features;
  private final PhysicalMemory memory;
  private final SystemBus bus;
  private final Targets targets;
  private long base;
  private int head;
  private int tail;
  private long csr;

  /// Whether a command is under way: a fence may write this IOMMU's own registers.
  private boolean running;

  CommandProcessor(
      RiscvIommuFeatures features, PhysicalMemory memory, SystemBus bus, Targets targets) {
    this.features = features;
    this.memory = memory;
    this.bus = bus;
    this.targets = targets;
  }

  long base() {
    return base;
  }

  int head() {
    return head;
  }

  int tail() {
    return tail;
  }

  long csr() {
    return csr;
  }

  void setBase(long value) {
    if (!CQEN.isSet(csr)) {
      base = CQB.legalize(base, value);
    }
  }

  void setTail(long value) {
    tail = (int) value & mask();
  }

  void setCsr(long value) {
    boolean was = CQEN.isSet(csr);
    csr = CQCSR.legalize(csr, value);
    if (CQEN.isSet(csr) && !was) {
      head = 0;
      csr &= ~(ERRORS | FENCE_W_IP.mask());
    }
    csr = CQON.with(csr, CQEN.isSet(csr) ? 1 : 0);
  }

  /// Runs what is queued, until the queue is empty or a command fails.
  ///
  /// {@return whether the queue wants to interrupt}
  boolean run(int levels) {
    if (running) {
      return false;
    }
    running = true;
    try {
      execute(levels);
    } finally {
      running = false;
    }
    return (csr & ERRORS) != 0 && CIE.isSet(csr);
  }

  private void execute(int levels) {
    while (CQON.isSet(csr) && (csr & ERRORS) == 0 && head != tail) {
      long at = DirectoryLayout.address(BASE_PPN.get(base)) + (long) head * CommandLayout.BYTES;
      try {
        if (!execute(memory.read64(at), memory.read64(at + Long.BYTES), levels)) {
          csr |= CMD_ILL.mask();
          break;
        }
      } catch (BusErrorException e) {
        csr |= CQMF.mask();
        break;
      }
      head = (head + 1) & mask();
    }
  }

  /// {@return whether the command is legal and supported}
  ///
  /// @throws BusErrorException when its own write is not taken
  private boolean execute(long first, long second, int levels) {
    return switch (OPCODE.getInt(first)) {
      case IOTINVAL -> pageTables(first, second);
      case IOFENCE -> fence(first, second);
      case IODIR -> directory(first, second, levels);
      case CommandLayout.ATS -> ats(first, second);
      default -> false;
    };
  }

  private boolean pageTables(long first, long second) {
    boolean guests = FUNC3.getInt(first) == GVMA;
    if (FUNC3.getInt(first) > GVMA
        || (first & INVAL.mask(BitKind.RES0)) != 0
        || (second & INVAL_ADDR.mask(BitKind.RES0)) != 0
        || CommandLayout.NL.isSet(first)
        || RANGE.isSet(second)
        || (guests && PSCV.isSet(first))) {
      return false;
    }
    boolean byVm = GV.isSet(first);
    if (guests) {
      Invalidation what = Invalidation.all(1 << PageWalk.GUEST);
      targets.caches().invalidate(byVm ? what.withVmid(GSCID.getInt(first)) : what, false);
      return true;
    }
    Invalidation what = Invalidation.all(1 << (byVm ? PageWalk.GUEST : PageWalk.HOST));
    what = what.withVmid(byVm ? GSCID.getInt(first) : 0);
    if (PSCV.isSet(first)) {
      what = what.withAsid(targets.directory().space(PSCID.getInt(first)), false);
    }
    if (AV.isSet(first)) {
      long page = DirectoryLayout.address(ADDR.get(second));
      what = what.within(AddressRange.ofSize(page, DirectoryLayout.PAGE_BYTES));
    }
    targets.caches().invalidate(what, !AV.isSet(first));
    return true;
  }

  private boolean fence(long first, long second) {
    if (FENCE_FUNC3.getInt(first) != FENCE_C
        || (first & FENCE.mask(BitKind.RES0)) != 0
        || (second & FENCE_ADDR.mask(BitKind.RES0)) != 0
        || FENCE_WSI.isSet(first)) {
      return false;
    }
    targets.gate().drain();
    if (FENCE_AV.isSet(first)) {
      long at = FENCE_WORD.get(second) * Integer.BYTES;
      if (bus.write(at, FENCE_DATA.get(first), Integer.BYTES, SystemBus.CPU) == BusOutcome.ERROR) {
        throw new BusErrorException("IOFENCE.C", at, Integer.BYTES);
      }
    }
    return true;
  }

  private boolean directory(long first, long second, int levels) {
    boolean processes = DIR_FUNC3.getInt(first) == INVAL_PDT;
    if (DIR_FUNC3.getInt(first) > INVAL_PDT
        || (first & DIR.mask(BitKind.RES0)) != 0
        || second != 0
        || (processes ? !namesProcess(first) : PID.get(first) != 0)) {
      return false;
    }
    int did = DID.getInt(first);
    if (!DV.isSet(first)) {
      targets.directory().forgetAll();
    } else if (levels > 0
        && !SvPteLayout.fits(did, DirectoryLayout.deviceIdBits(levels, features.extended()))) {
      return false;
    } else if (processes) {
      targets.directory().forget(did, PID.getInt(first));
    } else {
      targets.directory().forget(did);
    }
    return true;
  }

  /// **Source**: RISC-V IOMMU Architecture 1.0, 4.1.4. What the payload's reserved bits hold goes into the message, and means nothing.
  private boolean ats(long first, long second) {
    int what = ATS_FUNC3.getInt(first);
    if (!RiscvIommuRegisters.ATS.isSet(features.capabilities())
        || what > ATS_PRGR
        || (first & ATS_WORD.mask(BitKind.RES0)) != 0) {
      return false;
    }
    int segment = ATS_DSV.isSet(first) ? ATS_DSEG.getInt(first) : 0;
    int requester = segment << Short.SIZE | ATS_RID.getInt(first);
    int pasid = ATS_PV.isSet(first) ? ATS_PID.getInt(first) : -1;
    if (what == ATS_PRGR) {
      targets
          .devices()
          .respond(
              new PageResponse(
                  requester, pasid, ATS_GROUP.getInt(second), ATS_RESPONSE.getInt(second)));
      return true;
    }
    // With S the lowest zero bit of the address tells the size: PCI Express Base 6.0, 10.2.3.2.
    long address = ATS_ADDRESS.get(second);
    long lowestZero = (address + DirectoryLayout.PAGE_BYTES) & ~address;
    long bytes = ATS_SIZE.isSet(second) ? lowestZero << 1 : DirectoryLayout.PAGE_BYTES;
    targets.devices().invalidate(requester, pasid, address & -bytes, bytes);
    return true;
  }

  private boolean namesProcess(long first) {
    int bits = features.processIdBits();
    return bits > 0 && DV.isSet(first) && SvPteLayout.fits(PID.get(first), bits);
  }

  private int mask() {
    return (2 << LOG2SZ.getInt(base)) - 1;
  }
}
