/// Models of PCI Express hardware: root complex with ECAM, ports and bridges, endpoints.
@NullMarked
package dev.doorbell.hw.pcie;

import org.jspecify.annotations.NullMarked;
