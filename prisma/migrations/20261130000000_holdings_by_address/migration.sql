-- Endpoints get their names by the addresses that they hold.
DROP INDEX "Holding_endpointId_idx";
