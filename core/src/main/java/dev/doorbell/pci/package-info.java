/// PCI functions: config space, capabilities, MSI and MSI-X, bridges, ACS, requester ids.
@NullMarked
package dev.doorbell.pci;

import org.jspecify.annotations.NullMarked;
