package dev.doorbell.hw.smmuv2;

import dev.doorbell.address.Iova;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// Reads what was recorded of faults, and makes room for the next ones. The syndrome is read before the status is cleared, as it may change
/// from then on.
record FaultDrain(SmmuV2Port port, int banks) {
  /// Fields that are no cause.
  private static final Set<String> NO_CAUSE = Set.of("FORMAT", "SS");

  List<SmmuV2Fault> drain() {
    List<SmmuV2Fault> out = new ArrayList<>();
    long global = port.gr0(Gr0Registers.GFSR);
    if (global != 0) {
      out.add(
          new SmmuV2Fault.Global(
              causes(Gr0Registers.GFSR, global),
              Gr0Registers.GFSYNR1_STREAM_ID.getInt(port.gr0(Gr0Registers.GFSYNR1)),
              new Iova(port.gr0(Gr0Registers.GFAR)),
              Gr0Registers.GFSYNR0_WNR.isSet(port.gr0(Gr0Registers.GFSYNR0))));
      port.writeGr0(Gr0Registers.GFSR, global);
    }
    for (int bank = 0; bank < banks; bank++) {
      long status = port.bank(bank, BankRegisters.FSR);
      if (status != 0) {
        long syndrome = port.bank(bank, BankRegisters.FSYNR0);
        out.add(
            new SmmuV2Fault.Context(
                causes(BankRegisters.FSR, status),
                bank,
                Gr1Registers.CBFRSYNRA_STREAM_ID.getInt(port.gr1(Gr1Registers.CBFRSYNRA, bank)),
                new Iova(port.bank(bank, BankRegisters.FAR)),
                BankRegisters.FSYNR0_WNR.isSet(syndrome),
                BankRegisters.FSYNR0_PLVL.getInt(syndrome)));
        port.writeBank(bank, BankRegisters.FSR, status);
      }
    }
    return out;
  }

  private static List<String> causes(Register register, long status) {
    Layout layout = register.layout();
    return layout.fields().reversed().stream()
        .filter(f -> f.isSet(status) && !NO_CAUSE.contains(f.name()))
        .map(f -> f.name())
        .toList();
  }
}
