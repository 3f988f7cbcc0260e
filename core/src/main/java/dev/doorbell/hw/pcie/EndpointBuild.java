package dev.doorbell.hw.pcie;

import dev.doorbell.bits.Register;
import dev.doorbell.pci.CapabilityLayout;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.MsiLayout;
import dev.doorbell.pci.MsixLayout;
import dev.doorbell.pci.PcieLayout;
import dev.doorbell.pci.PortType;
import dev.doorbell.pci.SriovLayout;
import java.util.ArrayList;
import java.util.List;

/// Lays out the configuration space of an endpoint model.
final class EndpointBuild {
  private static final int EXPRESS_AT = 0x40;
  private static final int MSI_AT = 0x80;
  private static final int MSIX_AT = 0xa0;

  private EndpointBuild() {}

  static EndpointModel create(EndpointSpec spec, EndpointRegisters registers) {
    ConfigStorage s = new ConfigStorage(CapabilityLayout.EXTENDED_BYTES);
    s.put(0, ConfigHeaderLayout.VENDOR, spec.vendor());
    s.put(0, ConfigHeaderLayout.DEVICE, spec.device());
    s.put(0, ConfigHeaderLayout.CLASS_LOW, spec.classCode() & 0xff);
    s.put(0, ConfigHeaderLayout.CLASS_HIGH, spec.classCode() >>> Byte.SIZE);
    s.put(
        0,
        ConfigHeaderLayout.HEADER_TYPE,
        ConfigHeaderLayout.MULTI_FUNCTION.place(spec.multiFunction() ? 1 : 0));
    s.put(0, ConfigHeaderLayout.STATUS, ConfigHeaderLayout.CAPABILITIES_LIST.place(1));
    s.put(0, ConfigHeaderLayout.CAP_POINTER, EXPRESS_AT);
    PortType type = spec.integrated() ? PortType.ROOT_COMPLEX_ENDPOINT : PortType.ENDPOINT;
    int msi = spec.msi().isPresent() ? MSI_AT : 0;
    int msix = spec.msix().isPresent() ? MSIX_AT : 0;
    header(s, EXPRESS_AT, CapabilityLayout.PCI_EXPRESS, msi != 0 ? msi : msix);
    s.put(
        EXPRESS_AT,
        PcieLayout.CAPABILITIES,
        PcieLayout.VERSION.place(2) | PcieLayout.TYPE.place(type.encoding()));
    s.put(
        EXPRESS_AT,
        PcieLayout.DEVICE_CAPABILITIES,
        PcieLayout.ROLE_BASED_ERRORS.place(1) | PcieLayout.FLR_CAPABLE.place(spec.flr() ? 1 : 0));
    spec.msi().ifPresent(m -> msi(s, m, msix));
    spec.msix().ifPresent(m -> msix(s, m));
    spec.sriov().ifPresent(v -> sriov(s, v));
    List<BarModel> bars = new ArrayList<>();
    for (EndpointSpec.Bar b : spec.bars()) {
      bar(s, 0, ConfigHeaderLayout.BAR, b);
      bars.add(new BarModel(b.index(), b.bytes(), b.wide(), 0));
    }
    return finish(s, bars, registers, new EndpointModel.Capable(EXPRESS_AT, msi, msix));
  }

  static EndpointModel ofImage(ConfigSpace image, long[] barBytes, EndpointRegisters registers) {
    CapturedImage c = CapturedImage.of(image, 0);
    ConfigStorage s = c.storage();
    List<BarModel> bars = new ArrayList<>();
    for (int i = 0; i < barBytes.length && i < ConfigHeaderLayout.BAR.count(); i++) {
      long captured = s.get(0, ConfigHeaderLayout.BAR, i);
      if (barBytes[i] == 0 || ConfigHeaderLayout.BAR_IO.isSet(captured)) {
        continue;
      }
      boolean wide = ConfigHeaderLayout.BAR_TYPE.get(captured) == 2;
      boolean prefetchable = ConfigHeaderLayout.BAR_PREFETCHABLE.isSet(captured);
      bar(s, 0, ConfigHeaderLayout.BAR, new EndpointSpec.Bar(i, barBytes[i], wide, prefetchable));
      bars.add(new BarModel(i, barBytes[i], wide, 0));
    }
    EndpointModel e = finish(s, bars, registers, capable(c));
    e.reset();
    return e;
  }

  static EndpointModel virtualOfImage(ConfigSpace image, long[] barBytes, long[] barAddresses) {
    CapturedImage c = CapturedImage.of(image, 0);
    ConfigStorage s = c.storage();
    List<BarModel> bars = new ArrayList<>();
    for (int i = 0; i < barBytes.length; i++) {
      if (barBytes[i] != 0) {
        bars.add(new BarModel(i, barBytes[i], true, barAddresses[i]));
      }
    }
    EndpointModel.Capable capable = capable(c);
    declare(s, capable);
    // A VF has of the Command register only Bus Master Enable (9.3.4.1.3).
    s.writable(0, ConfigHeaderLayout.COMMAND, ConfigHeaderLayout.BUS_MASTER_ENABLE.mask());
    s.forgetWritten();
    EndpointModel e = new EndpointModel(s, bars, EndpointRegisters.NONE, capable, true);
    e.reset();
    return e;
  }

  private static EndpointModel.Capable capable(CapturedImage c) {
    int msi = c.offset(CapabilityLayout.MSI, false);
    int msix = c.offset(CapabilityLayout.MSIX, false);
    return new EndpointModel.Capable(c.offset(CapabilityLayout.PCI_EXPRESS, false), msi, msix);
  }

  private static EndpointModel finish(
      ConfigStorage s,
      List<BarModel> bars,
      EndpointRegisters registers,
      EndpointModel.Capable capable) {
    declare(s, capable);
    s.forgetWritten();
    if (capable.express() != 0) {
      s.resetTo(capable.express(), PcieLayout.DEVICE_CONTROL, PcieLayout.DEVICE_CONTROL.reset());
      s.change(capable.express(), PcieLayout.DEVICE_CONTROL, PcieLayout.DEVICE_CONTROL.reset());
    }
    EndpointModel e = new EndpointModel(s, bars, registers, capable, false);
    if (capable.msix() != 0) {
      for (BarModel b : bars) {
        long needed = new MsixModel(s, capable.msix()).bytesNeeded(b.index());
        if (needed > b.bytes()) {
          throw new IllegalArgumentException(
              "BAR %d has 0x%x bytes; its MSI-X table and pending bits need 0x%x"
                  .formatted(b.index(), b.bytes(), needed));
        }
      }
    }
    return e;
  }

  private static void declare(ConfigStorage s, EndpointModel.Capable capable) {
    Declared.endpoint(s);
    if (capable.express() != 0) {
      Declared.express(s, capable.express());
    }
    if (capable.msi() != 0) {
      Declared.msi(s, capable.msi());
    }
    if (capable.msix() != 0) {
      Declared.msix(s, capable.msix());
    }
  }

  private static void bar(ConfigStorage s, int base, Register array, EndpointSpec.Bar b) {
    long kind =
        ConfigHeaderLayout.BAR_TYPE.place(b.wide() ? 2 : 0)
            | ConfigHeaderLayout.BAR_PREFETCHABLE.place(b.prefetchable() ? 1 : 0);
    s.put(base, array, b.index(), kind);
    long writable = -b.bytes();
    s.declare(base, array, b.index(), writable & ConfigHeaderLayout.BAR_MEMORY_BASE.mask());
    if (b.wide()) {
      s.put(base, array, b.index() + 1, 0);
      s.declare(base, array, b.index() + 1, writable >>> Integer.SIZE);
    }
  }

  private static void sriov(ConfigStorage s, EndpointSpec.Sriov v) {
    int at = CapabilityLayout.CONVENTIONAL_BYTES;
    s.put(
        at,
        CapabilityLayout.EXTENDED_HEADER,
        CapabilityLayout.EXTENDED_ID.place(CapabilityLayout.EXTENDED_SRIOV)
            | CapabilityLayout.EXTENDED_VERSION.place(1));
    s.put(at, SriovLayout.INITIAL_VFS, v.totalVfs());
    s.put(at, SriovLayout.TOTAL_VFS, v.totalVfs());
    s.put(at, SriovLayout.FIRST_VF_OFFSET, v.firstOffset());
    s.put(at, SriovLayout.VF_STRIDE, v.stride());
    s.put(at, SriovLayout.SUPPORTED_PAGE_SIZES, 1);
    s.put(at, SriovLayout.SYSTEM_PAGE_SIZE, 1);
    Declared.sriov(s, at);
    v.bars().forEach(b -> bar(s, at, SriovLayout.VF_BAR, b));
  }

  private static void msi(ConfigStorage s, EndpointSpec.Msi m, int next) {
    header(s, MSI_AT, CapabilityLayout.MSI, next);
    s.put(
        MSI_AT,
        MsiLayout.CONTROL,
        MsiLayout.MULTIPLE_CAPABLE.place(Integer.numberOfTrailingZeros(m.vectors()))
            | MsiLayout.ADDRESS64.place(m.address64() ? 1 : 0)
            | MsiLayout.MASKABLE.place(m.maskable() ? 1 : 0));
  }

  private static void msix(ConfigStorage s, EndpointSpec.Msix m) {
    header(s, MSIX_AT, CapabilityLayout.MSIX, 0);
    s.put(MSIX_AT, MsixLayout.CONTROL, MsixLayout.TABLE_SIZE.place(m.vectors() - 1));
    s.put(
        MSIX_AT,
        MsixLayout.TABLE,
        MsixLayout.TABLE_BIR.place(m.bar()) | MsixLayout.TABLE_OFFSET.place(m.tableOffset()));
    s.put(
        MSIX_AT,
        MsixLayout.PBA,
        MsixLayout.PBA_BIR.place(m.bar()) | MsixLayout.PBA_OFFSET.place(m.pbaOffset()));
  }

  private static void header(ConfigStorage s, int at, int id, int next) {
    s.put(at, CapabilityLayout.HEADER, CapabilityLayout.ID.place(id) | (long) next << Byte.SIZE);
  }
}
