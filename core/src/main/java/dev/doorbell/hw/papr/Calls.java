package dev.doorbell.hw.papr;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Numbers of hypervisor calls, names and function codes of RTAS calls, and what both answer.
///
/// **Source**: LoPAPR 1.1, tables of 14.5 (hypervisor calls), 7.2.8 (RTAS statuses), 7.3.10.5 (`ibm,change-msi`), 7.3.11 (EEH).
public final class Calls {
  // spotless:off
  public static final long H_GET_TCE          = 0x1c;
  public static final long H_PUT_TCE          = 0x20;
  public static final long H_EOI              = 0x64;
  public static final long H_CPPR             = 0x68;
  public static final long H_IPI              = 0x6c;
  public static final long H_IPOLL            = 0x70;
  public static final long H_XIRR             = 0x74;
  public static final long H_STUFF_TCE        = 0x138;
  public static final long H_PUT_TCE_INDIRECT = 0x13c;

  public static final long H_SUCCESS    = 0;
  public static final long H_BUSY       = 1;
  /// 9900 to 9905: to be called again after 1, 10, 100 … milliseconds. RTAS has the same six statuses.
  public static final long H_LONG_BUSY       = 9900;
  public static final long H_LONG_BUSY_LAST  = 9905;
  public static final long H_HARDWARE   = -1;
  public static final long H_FUNCTION   = -2;
  public static final long H_PRIVILEGE  = -3;
  public static final long H_PARAMETER  = -4;
  public static final long H_RESOURCE   = -16;

  public static final int RTAS_OK             = 0;
  public static final int RTAS_HARDWARE       = -1;
  public static final int RTAS_BUSY           = -2;
  public static final int RTAS_PARAMETER      = -3;

  public static final String READ_CONFIG      = "ibm,read-pci-config";
  public static final String WRITE_CONFIG     = "ibm,write-pci-config";
  public static final String CHANGE_MSI       = "ibm,change-msi";
  public static final String SOURCE_NUMBER    = "ibm,query-interrupt-source-number";
  public static final String SET_XIVE         = "ibm,set-xive";
  public static final String GET_XIVE         = "ibm,get-xive";
  public static final String INT_OFF          = "ibm,int-off";
  public static final String INT_ON           = "ibm,int-on";
  public static final String QUERY_WINDOW     = "ibm,query-pe-dma-window";
  public static final String CREATE_WINDOW    = "ibm,create-pe-dma-window";
  public static final String REMOVE_WINDOW    = "ibm,remove-pe-dma-window";
  public static final String RESET_WINDOW     = "ibm,reset-pe-dma-window";
  public static final String PE_ADDRESS       = "ibm,get-config-addr-info2";
  public static final String EEH_OPTION       = "ibm,set-eeh-option";
  public static final String SLOT_RESET       = "ibm,set-slot-reset";
  public static final String SLOT_STATE       = "ibm,read-slot-reset-state2";

  /// Function codes of ibm,change-msi.
  public static final int CHANGE_ANY    = 1;
  public static final int CHANGE_MSI_FN = 3;
  public static final int CHANGE_MSIX   = 4;
  public static final int CHANGE_MSI32  = 5;
  public static final int CHANGE_MSIX32 = 6;

  /// What ibm,change-msi says it has given.
  public static final int TYPE_MSI      = 1;
  public static final int TYPE_MSIX     = 2;

  /// Options of ibm,set-eeh-option.
  public static final int EEH_DISABLE   = 0;
  public static final int EEH_ENABLE    = 1;
  public static final int EEH_THAW_MMIO = 2;
  public static final int EEH_THAW_DMA  = 3;

  /// States that ibm,read-slot-reset-state2 tells.
  public static final int STATE_NORMAL      = 0;
  public static final int STATE_RESET       = 1;
  public static final int STATE_STOPPED     = 2;
  public static final int STATE_DMA_STOPPED = 4;
  public static final int STATE_UNAVAILABLE = 5;

  /// TCEs of one H_PUT_TCE_INDIRECT: what a page holds.
  public static final int INDIRECT_MOST = 512;
  // spotless:on

  private static final Map<Long, String> HCALLS =
      Map.of(
          H_GET_TCE, "H_GET_TCE",
          H_PUT_TCE, "H_PUT_TCE",
          H_EOI, "H_EOI",
          H_CPPR, "H_CPPR",
          H_IPI, "H_IPI",
          H_IPOLL, "H_IPOLL",
          H_XIRR, "H_XIRR",
          H_STUFF_TCE, "H_STUFF_TCE",
          H_PUT_TCE_INDIRECT, "H_PUT_TCE_INDIRECT");

  private static final Map<Long, String> STATUSES =
      Map.ofEntries(
          Map.entry(H_BUSY, "H_BUSY"),
          Map.entry(H_HARDWARE, "H_HARDWARE"),
          Map.entry(H_FUNCTION, "H_FUNCTION"),
          Map.entry(H_PRIVILEGE, "H_PRIVILEGE"),
          Map.entry(H_PARAMETER, "H_PARAMETER"),
          Map.entry(H_RESOURCE, "H_RESOURCE"),
          Map.entry(XiveCalls.H_P2, "H_P2"),
          Map.entry(XiveCalls.H_P3, "H_P3"),
          Map.entry(XiveCalls.H_P4, "H_P4"),
          Map.entry(XiveCalls.H_P5, "H_P5"),
          Map.entry(XiveCalls.H_STATE, "H_STATE"));

  private Calls() {}

  /// {@return a hypervisor call's name}
  public static String name(long hcall) {
    @Nullable String known = HCALLS.getOrDefault(hcall, XiveCalls.names().get(hcall));
    return known == null ? "hypervisor call 0x%x".formatted(hcall) : known;
  }

  /// {@return the name of what a hypervisor call answered}
  public static String status(long status) {
    return STATUSES.getOrDefault(status, Long.toString(status));
  }

  /// {@return whether a status asks to come again later, of either kind of call}
  public static boolean isLongBusy(long status) {
    return status >= H_LONG_BUSY && status <= H_LONG_BUSY_LAST;
  }
}
