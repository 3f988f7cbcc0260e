package dev.doorbell.hw.xive;

import dev.doorbell.bits.RegisterPorts;
import dev.doorbell.bus.PhysicalMemory;
import org.jspecify.annotations.Nullable;

/// POWER9's XIVE: its registers in a page, and the context of one thread at a time.
public final class XiveModel extends XiveEventModel {
  private final RegisterPorts ports = new RegisterPorts(XiveRegisters.MAP);
  private long indirect;

  public XiveModel(PhysicalMemory memory) {
    super(memory, XiveGeneration.FIRST);
    ports.on(XiveRegisters.INDIR0, _ -> indirect, (_, v) -> indirect = v);
    enabling(ports, XiveRegisters.EN0_SET, XiveRegisters.EN0_CLR, 0);
    enabling(ports, XiveRegisters.EN1_SET, XiveRegisters.EN1_CLR, 1);
    virtualizing(ports, XiveRegisters.VC_VSD_ADDR, XiveRegisters.VC_VSD_DATA);
    presenting(ports, XiveRegisters.PC_VSD_ADDR, XiveRegisters.PC_VSD_DATA);
    ports.on(
        XiveRegisters.IVC_SCRUB,
        _ -> 0,
        (_, v) -> forget(XiveRegisters.SCRUB_BLOCK.get(v), XiveRegisters.SCRUB_OFFSET.get(v)));
  }

  @Override
  int slot(long select) {
    return slot(XiveRegisters.VST_SELECT.getInt(select), XiveRegisters.VST_BLOCK.getInt(select));
  }

  @Override
  boolean isPort(long offset) {
    return offset / XiveRegisters.PAGE == XiveRegisters.NOTIFY / XiveRegisters.PAGE;
  }

  @Override
  @Nullable RegisterPorts at(long offset) {
    if (offset < XiveRegisters.PAGE) {
      return ports;
    }
    return offset >= XiveRegisters.INDIRECT && XiveRegisters.INDIR_VALID.isSet(indirect)
        ? thread(XiveRegisters.INDIR_THRDID.getInt(indirect)).ports()
        : null;
  }
}
