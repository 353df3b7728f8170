// Vehicles of Coaty's vda-5050-lib (VirtualAgvAdapter, protocol 2.0.0), many in one process.
//
//     node fleet.cjs '{"url": "mqtt://127.0.0.1:1883", "manufacturer": "coaty", "timeLapse": 10,
//         "vehicles": [{"serial": "agv-1", "x": 0, "y": 2, "heading": 0, "node": "n1", "map": "hall",
//         "speed": 1.5, "length": 0.8, "width": 0.6, "reach": 9000, "chargeHours": 0.4,
//         "charge": 90}]}'
//
// Commands, one a line on standard input: `cut SERIAL` breaks a vehicle's connection (it comes back by
// itself), `end` ends the process.

"use strict";
const readline = require("readline");
const { AgvController, AgvId, VirtualAgvAdapter, BlockingType } = require("vda-5050-lib");

const given = JSON.parse(process.argv[2]);
const timeLapse = given.timeLapse;
const TICKS = 50; // a second
const STATE_MS = 30000; // between the states of an idle vehicle, in its own time

/** What the adapter leaves empty. */
function factsheet(vehicle) {
    const actions = ["pick", "drop", "startCharging", "stopCharging"];
    return {
        typeSpecification: {
            seriesName: "VirtualAgvAdapter", seriesDescription: "simulated", agvKinematic: "DIFF",
            agvClass: "FORKLIFT", maxLoadMass: 1000, localizationTypes: ["NATURAL"],
            navigationTypes: ["AUTONOMOUS"],
        },
        physicalParameters: {
            speedMin: 0, speedMax: vehicle.speed, accelerationMax: 2, decelerationMax: 2,
            heightMin: 1, heightMax: 2, width: vehicle.width, length: vehicle.length,
        },
        protocolLimits: {
            maxStringLens: {}, maxArrayLens: {},
            timing: { minOrderInterval: 0, minStateInterval: 0 },
        },
        protocolFeatures: {
            optionalParameters: [],
            agvActions: actions.map(actionType => ({
                actionType, actionScopes: actionType === "stopCharging" ? ["INSTANT"] : ["NODE"], actionDescription: actionType,
                actionParameters: [], resultDescription: "", blockingTypes: [BlockingType.Hard],
            })),
        },
        agvGeometry: {},
        loadSpecification: {},
    };
}

async function start(vehicle) {
    const controller = new AgvController(
        { manufacturer: given.manufacturer, serialNumber: vehicle.serial },
        {
            interfaceName: "uagv", vdaVersion: "2.0.0",
            transport: { brokerUrl: given.url, reconnectPeriod: 500 },
        },
        {
            agvAdapterType: VirtualAgvAdapter,
            publishStateInterval: STATE_MS / timeLapse,
            publishVisualizationInterval: 1000,
        },
        {
            initialPosition: {
                mapId: vehicle.map, x: vehicle.x, y: vehicle.y, theta: vehicle.heading,
                lastNodeId: vehicle.node,
            },
            initialBatteryCharge: vehicle.charge,
            batteryMaxReach: vehicle.reach,
            fullBatteryChargeTime: vehicle.chargeHours,
            vehicleSpeed: vehicle.speed, tickRate: TICKS, timeLapse,
        },
    );
    await controller.start();
    controller.updateFactsheet(factsheet(vehicle));
    return controller;
}

async function main() {
    const fleet = new Map();
    for (const vehicle of given.vehicles) {
        fleet.set(vehicle.serial, await start(vehicle));
    }
    console.log("ready");
    for await (const line of readline.createInterface({ input: process.stdin })) {
        const [word, serial] = line.split(" ");
        if (word === "cut") {
            fleet.get(serial)._mqtt.stream.destroy();
        } else if (word === "end") {
            break;
        }
    }
    process.exit(0);
}

main().catch(error => {
    console.error(error);
    process.exit(1);
});
